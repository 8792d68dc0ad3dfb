//! Method profiles: what tier-3 code counts, and what deoptimizations say.
//!
//! Counters are 32-bit cells in metaspace, below 4 GiB, so that compiled code adds to one with a single
//! instruction. They are not exact (threads race) and wrap.

use crate::compiler::ir::Reason;
use crate::interpreter::prepare;
use crate::meta::class::{Class, ClassRef};
use crate::meta::method::MethodRef;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

/// The receiver or checked types of a bytecode, as cells:
/// nulls seen, then (class word, count) by order of appearance, then those of any other class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TypeRows;

impl TypeRows {
    /// Rows kept (HotSpot's TypeProfileWidth).
    pub const WIDTH: usize = 2;
    /// Cells taken.
    pub const CELLS: usize = 2 + 2 * Self::WIDTH;
    /// Byte offset of the count of nulls.
    pub const NULLS: usize = 0;
    /// Byte offset of row 0: class word, then count.
    pub const ROWS: usize = 4;
    /// Byte offset of the count of further classes.
    pub const OTHER: usize = 4 + 8 * Self::WIDTH;
}

/// What a bytecode has cells for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SiteKind {
    /// Taken, not taken.
    Branch,
    /// One cell a case, the default last.
    Switch(u32),
    /// A call without a receiver to profile: times reached.
    Call,
    /// `TypeRows`.
    Types,
}

impl SiteKind {
    fn cells(self) -> usize {
        match self {
            SiteKind::Branch => 2,
            SiteKind::Switch(n) => n as usize + 1,
            SiteKind::Call => 1,
            SiteKind::Types => TypeRows::CELLS,
        }
    }
}

/// The profile of one method.
pub struct MethodProfile {
    /// All cells: invocations and back-edges in tier-3 code, then those of the sites.
    cells: &'static [AtomicU32],
    /// By ascending bytecode index: kind and first cell.
    sites: Box<[(u16, SiteKind, u32)]>,
    /// Deoptimizations by bytecode and reason.
    traps: Mutex<BTreeMap<(u16, Reason), u32>>,
    /// All deoptimizations, and those that discarded code.
    pub trap_count: AtomicU32,
    pub decompile_count: AtomicU32,
    /// What the counters stood at when profiling last began anew.
    start: [AtomicU32; 2],
}

/// Cell of tier-3 invocations.
const INVOCATIONS: usize = 0;
/// Cell of tier-3 back-edges.
const BACKEDGES: usize = 1;

/// Deoptimizations at one bytecode for one reason that a compile tolerates before it compiles the slow path
/// (HotSpot's PerBytecodeTrapLimit), and in a whole method (PerMethodTrapLimit).
pub const PER_BYTECODE_TRAP_LIMIT: u32 = 4;
pub const PER_METHOD_TRAP_LIMIT: u32 = 100;

/// The profile of `method`, attached at the first call. `None` for methods without code, and if metaspace is
/// exhausted.
pub fn of_method(method: MethodRef) -> Option<&'static MethodProfile> {
    let p = method.profile.load(Ordering::Acquire);
    if !p.is_null() {
        // SAFETY: set once below, lives as long as the method.
        return Some(unsafe { &*p });
    }
    let fresh = Box::into_raw(Box::new(MethodProfile::new(method)?));
    match method.profile.compare_exchange(std::ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: ours, now published; or the winner's, ours being unshared.
        Ok(_) => Some(unsafe { &*fresh }),
        Err(first) => unsafe {
            drop(Box::from_raw(fresh));
            Some(&*first)
        },
    }
}

/// The profile if one is attached.
pub fn if_attached(method: MethodRef) -> Option<&'static MethodProfile> {
    // SAFETY: as in `of_method`.
    unsafe { method.profile.load(Ordering::Acquire).as_ref() }
}

/// `n` cells of the class's metaspace, zero.
fn allocate(method: MethodRef, n: usize) -> Option<&'static [AtomicU32]> {
    let address = method.class().loader.arena.alloc(n * 4).ok()?;
    debug_assert!(address + n * 4 <= 1 << 32);
    // SAFETY: fresh metaspace of that size, aligned to 8, kept as long as the class.
    unsafe {
        std::ptr::write_bytes(address as *mut u32, 0, n);
        Some(std::slice::from_raw_parts(address as *const AtomicU32, n))
    }
}

impl MethodProfile {
    fn new(method: MethodRef) -> Option<MethodProfile> {
        let prepared = prepare::of_method(method).ok()?;
        let mut sites = Vec::new();
        let mut n = 2;
        let mut last = None;
        for &bci in &prepared.bci {
            if last == Some(bci) {
                continue; // SyncEnter before the first, the end mark after the last.
            }
            last = Some(bci);
            if let Some(kind) = kind_at(method.code, bci as usize) {
                sites.push((bci, kind, n as u32));
                n += kind.cells();
            }
        }
        Some(MethodProfile {
            cells: allocate(method, n)?,
            sites: sites.into(),
            traps: Mutex::default(),
            trap_count: AtomicU32::new(0),
            decompile_count: AtomicU32::new(0),
            start: Default::default(),
        })
    }

    fn address(&self, cell: usize) -> u32 {
        &self.cells[cell] as *const AtomicU32 as usize as u32
    }

    fn site(&self, bci: u16) -> Option<(SiteKind, usize)> {
        let i = self.sites.binary_search_by_key(&bci, |s| s.0).ok()?;
        Some((self.sites[i].1, self.sites[i].2 as usize))
    }

    fn get(&self, cell: usize) -> u32 {
        self.cells[cell].load(Ordering::Relaxed)
    }

    /// Nothing in the method is worth profiling: no branch, no call.
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// Addresses of the cells that count invocations and back-edges in tier-3 code.
    pub fn invocation_cell(&self) -> u32 {
        self.address(INVOCATIONS)
    }
    pub fn backedge_cell(&self) -> u32 {
        self.address(BACKEDGES)
    }
    /// Invocations and back-edges counted by tier-3 code since profiling last began anew.
    pub fn invocations(&self) -> u32 {
        self.since_start(INVOCATIONS)
    }
    pub fn backedges(&self) -> u32 {
        self.since_start(BACKEDGES)
    }

    fn since_start(&self, cell: usize) -> u32 {
        self.get(cell).wrapping_sub(self.start[cell].load(Ordering::Relaxed))
    }

    /// Has tier 4 wait for as many new events as at first: what the old ones say has proved wrong.
    pub fn restart(&self) {
        for cell in [INVOCATIONS, BACKEDGES] {
            self.start[cell].store(self.get(cell), Ordering::Relaxed);
        }
    }

    /// Address of the cell that counts the branch at `bci` taken or not taken.
    pub fn branch_cell(&self, bci: u16, taken: bool) -> Option<u32> {
        match self.site(bci)? {
            (SiteKind::Branch, cell) => Some(self.address(cell + usize::from(!taken))),
            _ => None,
        }
    }

    /// Address of the cell for case `index` (the default is the last) of the switch at `bci`.
    pub fn switch_cell(&self, bci: u16, index: u32) -> Option<u32> {
        match self.site(bci)? {
            (SiteKind::Switch(n), cell) if index <= n => Some(self.address(cell + index as usize)),
            _ => None,
        }
    }

    /// Address of the cell that counts the call at `bci`.
    pub fn call_cell(&self, bci: u16) -> Option<u32> {
        match self.site(bci)? {
            (SiteKind::Call, cell) => Some(self.address(cell)),
            _ => None,
        }
    }

    /// Address of the [`TypeRows`] of `bci`.
    pub fn type_rows(&self, bci: u16) -> Option<u32> {
        match self.site(bci)? {
            (SiteKind::Types, cell) => Some(self.address(cell)),
            _ => None,
        }
    }

    /// Times the branch at `bci` was taken, and not.
    pub fn branch_counts(&self, bci: u16) -> Option<(u32, u32)> {
        match self.site(bci)? {
            (SiteKind::Branch, cell) => Some((self.get(cell), self.get(cell + 1))),
            _ => None,
        }
    }

    /// Counts of the cases of the switch at `bci`, the default's last.
    pub fn switch_counts(&self, bci: u16) -> Option<Vec<u32>> {
        match self.site(bci)? {
            (SiteKind::Switch(n), cell) => Some((0..=n as usize).map(|i| self.get(cell + i)).collect()),
            _ => None,
        }
    }

    /// Times the call at `bci` was reached (with a non-null receiver, if it has one).
    pub fn call_count(&self, bci: u16) -> Option<u32> {
        match self.site(bci)? {
            (SiteKind::Call, cell) => Some(self.get(cell)),
            (SiteKind::Types, _) => {
                let t = self.types(bci)?;
                Some(t.rows.iter().map(|r| r.1).fold(t.other, u32::saturating_add))
            }
            _ => None,
        }
    }

    /// The types seen at `bci`.
    pub fn types(&self, bci: u16) -> Option<TypeProfile> {
        let (SiteKind::Types, cell) = self.site(bci)? else { return None };
        let mut rows = Vec::new();
        for i in 0..TypeRows::WIDTH {
            let (word, count) = (self.get(cell + 1 + 2 * i), self.get(cell + 2 + 2 * i));
            if word != 0 && count > 0 {
                // SAFETY: compiled code writes class words of objects it has seen; a class is not freed while
                // the profile's method may be compiled.
                rows.push((unsafe { Class::from_word(word) }, count));
            }
        }
        rows.sort_by_key(|r| std::cmp::Reverse(r.1));
        Some(TypeProfile { nulls: self.get(cell), rows, other: self.get(cell + TypeRows::CELLS - 1) })
    }

    /// Deoptimizations at `bci` for `reason`.
    pub fn traps(&self, bci: u16, reason: Reason) -> u32 {
        self.traps.lock().get(&(bci, reason)).copied().unwrap_or(0)
    }

    /// Notes a deoptimization; how often this one has happened now.
    pub fn note_trap(&self, bci: u16, reason: Reason) -> u32 {
        self.trap_count.fetch_add(1, Ordering::Relaxed);
        let mut traps = self.traps.lock();
        let n = traps.entry((bci, reason)).or_insert(0);
        *n += 1;
        *n
    }

    /// A compile must not speculate on `reason` at `bci` any more.
    pub fn too_many_traps(&self, bci: u16, reason: Reason) -> bool {
        self.traps(bci, reason) >= PER_BYTECODE_TRAP_LIMIT
            || self.trap_count.load(Ordering::Relaxed) >= PER_METHOD_TRAP_LIMIT && self.traps(bci, reason) > 0
    }
}

/// See [`MethodProfile::types`].
#[derive(Clone, Debug, Default)]
pub struct TypeProfile {
    pub nulls: u32,
    /// Most frequent first.
    pub rows: Vec<(ClassRef, u32)>,
    pub other: u32,
}

fn kind_at(code: &[u8], bci: usize) -> Option<SiteKind> {
    let word = |at: usize| Some(i32::from_be_bytes(code.get(at..at + 4)?.try_into().ok()?));
    Some(match code[bci] {
        0x99..=0xa6 | 0xc6 | 0xc7 => SiteKind::Branch,
        0xaa => {
            let at = (bci + 4) & !3;
            SiteKind::Switch((i64::from(word(at + 8)?) - i64::from(word(at + 4)?) + 1).clamp(0, 1 << 16) as u32)
        }
        0xab => SiteKind::Switch(word(((bci + 4) & !3) + 4)?.clamp(0, 1 << 16) as u32),
        0xb6 | 0xb9 | 0xc0 | 0xc1 | 0x53 => SiteKind::Types,
        0xb7 | 0xb8 | 0xba => SiteKind::Call,
        _ => return None,
    })
}
