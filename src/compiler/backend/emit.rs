//! What the emitters of both processors share: labels, relocations, debug points, exits.

use super::lir::Inst;
use crate::code::assembled::{
    Assembled, DebugPoint, FrameInfo, PointKind, Relocation as StubRelocation, Stub, VirtualInfo,
};
use crate::code::inline_cache::CacheSite;
use crate::compiler::ir::{Action, Reason};
use crate::meta::method::MethodRef;
use dynasmrt::relocations::Relocation;
use dynasmrt::{DynamicLabel, DynasmApi, DynasmLabelApi, VecAssembler};
use regalloc2::PReg;
use rustc_hash::FxHashMap;

/// What the code cache aligns code to at least, and loops are aligned to within it.
pub const CODE_ALIGNMENT: usize = 16;

/// A place that the allocator moves values between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Reg(PReg),
    /// 8-byte slot at this distance from the stack pointer.
    Frame(u32),
}

/// Sizes of a frame, see `code::abi`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// caller_sp - sp.
    pub size: u32,
}

/// What the debug point of an instruction says, without its place.
pub struct PointData {
    pub frames: Vec<FrameInfo>,
    pub virtuals: Vec<VirtualInfo>,
}

/// An instruction's surroundings.
pub struct At<'a> {
    /// Its debug point's data, in [`Sink::points`].
    pub point: Option<u32>,
    /// Labels of the block's successors.
    pub succs: &'a [DynamicLabel],
    /// The successor that is laid out next, if one is: no jump to it is needed.
    pub next: Option<u32>,
    /// The successor that leads back to a loop's start, else 0: if none comes next, it is jumped to first.
    pub likely: u32,
}

impl At<'_> {
    /// The debug point of an instruction that has one.
    pub fn point(&self) -> u32 {
        self.point.expect("lowering gives this instruction a state")
    }
}

/// Collects machine code and its metadata.
pub struct Sink<R: Relocation> {
    pub ops: VecAssembler<R>,
    pub frame: Frame,
    /// What debug points say, by the numbers that `At::point` gives.
    pub points: Vec<PointData>,
    relocations: Vec<StubRelocation>,
    cache_sites: Vec<CacheSite>,
    /// (pc, kind, number of the point).
    placed: Vec<(u32, PointKind, u32)>,
    /// (pc after the call, handler's label).
    handlers: Vec<(u32, DynamicLabel)>,
    exits: Vec<(u32, Reason, Action, DynamicLabel)>,
    /// Places in `exits` by what they say.
    exit_of: FxHashMap<(u32, Reason, Action), usize>,
    /// The exit for the next access that is emitted.
    expected_fault: Option<DynamicLabel>,
    /// (offset of an access, exit).
    faults: Vec<(u32, DynamicLabel)>,
    /// (offset of an entry of a jump table, of the table, target).
    tables: Vec<(u32, u32, DynamicLabel)>,
    pub comments: Vec<(u32, String)>,
}

impl<R: Relocation> Sink<R> {
    pub fn new(frame: Frame) -> Sink<R> {
        Sink {
            ops: VecAssembler::new(0),
            frame,
            points: vec![],
            relocations: vec![],
            cache_sites: vec![],
            placed: vec![],
            handlers: vec![],
            exits: vec![],
            exit_of: FxHashMap::default(),
            expected_fault: None,
            faults: vec![],
            tables: vec![],
            comments: vec![],
        }
    }

    pub fn label(&mut self) -> DynamicLabel {
        self.ops.new_dynamic_label()
    }

    pub fn bind(&mut self, l: DynamicLabel) {
        self.ops.dynamic_label(l)
    }

    /// Offset of the next instruction.
    pub fn offset(&self) -> u32 {
        self.ops.offset().0 as u32
    }

    /// The 4 bytes that start `back` bytes before here become a reference to `target`.
    pub fn relocate(&mut self, back: u32, target: Stub) {
        let offset = self.offset() - back;
        self.relocations.push(StubRelocation { offset, target })
    }

    /// The address of an inline cache belongs into the code that starts `back` bytes before here.
    pub fn cache_site(&mut self, back: u32, method: MethodRef, vtable_index: Option<u32>) {
        let offset = self.offset() - back;
        self.cache_sites.push(CacheSite { offset, method, vtable_index })
    }

    /// Here is the return address of a call with debug point `point`.
    pub fn place(&mut self, point: u32, kind: PointKind) {
        let pc = self.offset();
        self.placed.push((pc, kind, point))
    }

    /// Here is the return address of a call that goes to `handler` when it throws.
    pub fn handler(&mut self, handler: DynamicLabel) {
        let pc = self.offset();
        self.handlers.push((pc, handler))
    }

    /// The exit out of line for a failing check; equal ones are shared.
    pub fn exit(&mut self, point: u32, reason: Reason, action: Action) -> DynamicLabel {
        if let Some(&n) = self.exit_of.get(&(point, reason, action)) {
            return self.exits[n].3;
        }
        let l = self.label();
        self.exit_of.insert((point, reason, action), self.exits.len());
        self.exits.push((point, reason, action, l));
        l
    }

    /// The next access goes to this exit if it faults.
    pub fn expect_fault(&mut self, point: u32, reason: Reason, action: Action) {
        self.expected_fault = Some(self.exit(point, reason, action));
    }

    /// An instruction that accesses memory begins here.
    pub fn access_here(&mut self) {
        if let Some(exit) = self.expected_fault.take() {
            let at = self.offset();
            self.faults.push((at, exit));
        }
    }

    /// There has been an access since `expect_fault`.
    pub fn fault_was_placed(&self) -> bool {
        self.expected_fault.is_none()
    }

    /// Emits a jump table: 32-bit distances of the targets from its start.
    pub fn table(&mut self, targets: &[DynamicLabel]) {
        let table = self.offset();
        for &t in targets {
            let at = self.offset();
            self.tables.push((at, table, t));
            self.ops.push_i32(0)
        }
    }

    /// Emits the exits; `call` emits the call of `Stub::Deopt`, relocation included.
    pub fn emit_exits(&mut self, mut call: impl FnMut(&mut Sink<R>)) {
        self.exit_of.clear();
        for (point, reason, action, label) in std::mem::take(&mut self.exits) {
            self.bind(label);
            call(self);
            self.place(point, PointKind::Deopt(reason, action));
        }
    }
}

impl<R: Relocation> Sink<R> {
    /// The finished code. Err with the assembler's complaint: a label out of range.
    pub fn into_assembled(mut self) -> Result<Assembled, String> {
        self.ops.commit().map_err(|e| e.to_string())?;
        let at = |l: DynamicLabel| self.ops.labels().resolve_dynamic(l).map(|o| o.0 as u32).map_err(|e| e.to_string());
        let mut handlers = Vec::new();
        for &(pc, l) in &self.handlers {
            handlers.push((pc, at(l)?));
        }
        handlers.sort_unstable();
        let mut faults = Vec::new();
        for &(pc, l) in &self.faults {
            faults.push((pc, at(l)?));
        }
        faults.sort_unstable();
        let mut entries = Vec::new();
        for &(at_entry, table, l) in &self.tables {
            entries.push((at_entry as usize, (at(l)? as i32).wrapping_sub(table as i32)));
        }
        let mut placed = self.placed;
        placed.sort_unstable_by_key(|p| p.0);
        let points = placed
            .into_iter()
            .map(|(pc, kind, n)| {
                let data = &self.points[n as usize];
                DebugPoint { pc, kind, frames: data.frames.clone(), virtuals: data.virtuals.clone() }
            })
            .collect();
        let mut code = self.ops.finalize().map_err(|e| e.to_string())?;
        for (at, distance) in entries {
            code[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        Ok(Assembled {
            frame_size: self.frame.size,
            relocations: self.relocations,
            cache_sites: self.cache_sites,
            points,
            handlers,
            faults,
            comments: self.comments,
            code,
        })
    }
}

/// Writes one function's machine code; made new for each.
pub trait Emitter: Sized {
    type Relocation: Relocation;

    /// `near` allows branches that reach less than a megabyte: if they turn out not to reach, the function is
    /// emitted again without them.
    fn new(frame: Frame, features: super::Features, near: bool) -> Self;
    fn sink(&mut self) -> &mut Sink<Self::Relocation>;
    /// Fills up with instructions that do nothing, up to where a loop had best start.
    fn align(&mut self);
    /// Stack check and frame.
    fn prologue(&mut self);
    /// One of the allocator's moves; not both in the frame. 8 bytes.
    fn mov(&mut self, from: Place, to: Place);
    /// An instruction with its registers allocated.
    fn inst(&mut self, inst: &Inst, at: &At);
    /// Whatever is out of line: slow paths, exits, jump tables, constants.
    fn finish(&mut self);
    fn into_sink(self) -> Sink<Self::Relocation>;
}
