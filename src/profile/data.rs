//! Method profiles: what tier-3 code counts, and what deoptimizations say.
//!
//! Counters are 32-bit cells in metaspace, below 4 GiB, so that compiled code adds to one with a single
//! instruction. They are not exact (threads race) and wrap.

use crate::compiler::ir::Reason;
use crate::interpreter::prepare;
use crate::meta::class::{Class, ClassRef};
use crate::meta::method::MethodRef;
use crate::options::Flags;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::OnceLock;

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
    traps: Mutex<BTreeMap<(u16, Reason), TrapHistory>>,
    /// Those in the whole method by reason.
    trap_counts: [AtomicU32; Reason::ALL.len()],
    /// How often optimized code of the method was given up (HotSpot's decompile_count), and how often for a
    /// bytecode that code had been given up for before (overflow_recompile_count).
    decompiles: AtomicU32,
    overflow_recompiles: AtomicU32,
    /// What the counters stood at when profiling last began anew.
    start: [AtomicU32; 2],
}

/// Cell of tier-3 invocations.
const INVOCATIONS: usize = 0;
/// Cell of tier-3 back-edges.
const BACKEDGES: usize = 1;

/// HotSpot's limits on deoptimizations and recompilations, by the flags of these names; -1 stands for none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrapLimits {
    /// PerBytecodeTrapLimit: deoptimizations at one bytecode for one reason before the code is given up.
    pub per_bytecode: u32,
    /// PerMethodTrapLimit: the same in a whole method for one reason.
    pub per_method: u32,
    /// PerBytecodeRecompilationCutoff: recompilations for a bytecode that went on to deoptimize.
    pub bytecode_recompiles: u32,
    /// PerMethodRecompilationCutoff: how often optimized code of a method is given up before there is no more.
    pub method_recompiles: u32,
}

impl TrapLimits {
    pub const DEFAULT: TrapLimits =
        TrapLimits { per_bytecode: 4, per_method: 100, bytecode_recompiles: 200, method_recompiles: 400 };

    /// From the command line.
    pub fn new(flags: &Flags) -> TrapLimits {
        let flag = |name: &str| u32::try_from(flags.signed(name)).unwrap_or(u32::MAX);
        TrapLimits {
            per_bytecode: flag("PerBytecodeTrapLimit"),
            per_method: flag("PerMethodTrapLimit"),
            bytecode_recompiles: flag("PerBytecodeRecompilationCutoff"),
            method_recompiles: flag("PerMethodRecompilationCutoff"),
        }
    }
}

static LIMITS: OnceLock<TrapLimits> = OnceLock::new();

/// Sets the limits, once, before anything is compiled.
pub fn set_trap_limits(limits: TrapLimits) {
    LIMITS.get_or_init(|| limits);
}

/// The limits in force.
pub fn trap_limits() -> TrapLimits {
    LIMITS.get().copied().unwrap_or(TrapLimits::DEFAULT)
}

/// What has happened at a bytecode for a reason.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct TrapHistory {
    /// Deoptimizations.
    pub traps: u32,
    /// Code was given up for it.
    pub recompiled: bool,
}

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
    let address = method.class().kept_by.arena.alloc(n * 4).ok()?;
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
            trap_counts: [const { AtomicU32::new(0) }; Reason::ALL.len()],
            decompiles: AtomicU32::new(0),
            overflow_recompiles: AtomicU32::new(0),
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
                // SAFETY: compiled code writes class words of objects it has seen; those of classes that are unloaded
                // are taken out (`purge`).
                rows.push((unsafe { Class::from_word(word) }, count));
            }
        }
        rows.sort_by_key(|r| std::cmp::Reverse(r.1));
        Some(TypeProfile { nulls: self.get(cell), rows, other: self.get(cell + TypeRows::CELLS - 1) })
    }

    /// Takes out what is about classes that are `dead`. In a pause.
    pub fn purge(&self, dead: &dyn Fn(usize) -> bool) {
        for &(_, kind, cell) in self.sites.iter().filter(|s| s.1 == SiteKind::Types) {
            debug_assert!(kind.cells() == TypeRows::CELLS);
            let row = |i: usize| cell as usize + TypeRows::ROWS / 4 + 2 * i;
            let rows: [(u32, u32); TypeRows::WIDTH] = std::array::from_fn(|i| (self.get(row(i)), self.get(row(i) + 1)));
            if rows.iter().any(|r| dead(r.0 as usize)) {
                // Compiled code takes the first free row: the others move up.
                let mut left = rows.into_iter().filter(|r| !dead(r.0 as usize));
                for i in 0..TypeRows::WIDTH {
                    let (word, count) = left.next().unwrap_or((0, 0));
                    self.cells[row(i)].store(word, Ordering::Relaxed);
                    self.cells[row(i) + 1].store(count, Ordering::Relaxed);
                }
            }
        }
    }

    /// What has happened at `bci` for `reason`.
    pub fn traps(&self, bci: u16, reason: Reason) -> TrapHistory {
        self.traps.lock().get(&(bci, reason)).copied().unwrap_or_default()
    }

    /// Deoptimizations in the whole method for `reason`.
    pub fn trap_count(&self, reason: Reason) -> u32 {
        self.trap_counts[reason as usize].load(Ordering::Relaxed)
    }

    /// Notes a deoptimization; the history with it.
    pub fn note_trap(&self, bci: u16, reason: Reason) -> TrapHistory {
        self.trap_counts[reason as usize].fetch_add(1, Ordering::Relaxed);
        let mut traps = self.traps.lock();
        let history = traps.entry((bci, reason)).or_default();
        history.traps += 1;
        *history
    }

    /// Code that speculated on `reason` at `bci` is given up: no compile shall do so again.
    pub fn note_recompile(&self, bci: u16, reason: Reason) {
        self.traps.lock().entry((bci, reason)).or_default().recompiled = true;
    }

    /// Deoptimizations for `reason`, this many at one bytecode, are so many that the code is to be given up.
    pub fn is_over_limit(&self, history: TrapHistory, reason: Reason) -> bool {
        let limits = trap_limits();
        history.traps >= limits.per_bytecode || self.trap_count(reason) >= limits.per_method
    }

    /// A compile must not speculate on `reason` at `bci` any more.
    pub fn too_many_traps(&self, bci: u16, reason: Reason) -> bool {
        let history = self.traps(bci, reason);
        history.recompiled || self.is_over_limit(history, reason)
    }

    /// Optimized code of the method was given up; whether that has happened too often.
    pub fn note_decompile(&self) -> bool {
        self.decompiles.fetch_add(1, Ordering::Relaxed) + 1 > trap_limits().method_recompiles
    }

    /// Code was given up for a bytecode and a reason for which it had been before; whether too often.
    pub fn note_overflow_recompile(&self) -> bool {
        self.overflow_recompiles.fetch_add(1, Ordering::Relaxed) + 1 > trap_limits().bytecode_recompiles
    }

    /// How often optimized code of the method was given up.
    pub fn decompiles(&self) -> u32 {
        self.decompiles.load(Ordering::Relaxed)
    }

    /// Makes the method look invoked this often, and its back-edges taken.
    pub fn set_counts(&self, invocations: u32, backedges: u32) {
        for (cell, n) in [(INVOCATIONS, invocations), (BACKEDGES, backedges)] {
            self.cells[cell].store(self.start[cell].load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
        }
    }

    /// Forgets all that was counted and all deoptimizations.
    pub fn clear(&self) {
        self.cells.iter().for_each(|c| c.store(0, Ordering::Relaxed));
        self.start.iter().for_each(|c| c.store(0, Ordering::Relaxed));
        self.traps.lock().clear();
        self.trap_counts.iter().for_each(|c| c.store(0, Ordering::Relaxed));
        self.decompiles.store(0, Ordering::Relaxed);
        self.overflow_recompiles.store(0, Ordering::Relaxed);
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
