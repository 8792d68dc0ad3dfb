//! From SSA to [`Assembled`]: lowering, allocation, and the walk over blocks that emission is.

use super::emit::{At, Emitter, Frame, Place, PointData, Sink};
use super::lir::{self, Function, Inst, Slot};
use super::machine::Machine;
use super::regalloc::Problem;
use super::Options;
use crate::code::assembled::{Assembled, FrameInfo, VirtualInfo, Where};
use crate::compiler::ir;
use crate::compiler::refusal::Refusal;
use dynasmrt::DynamicLabel;
use regalloc2::{Allocation, Edit, InstOrEdit, Output, RegClass};
use rustc_hash::FxHashMap;

/// Compiles `f` for processor `M` with emitter `E`.
pub fn compile<M: Machine, E: Emitter>(f: &ir::Function, options: &Options) -> Result<Assembled, Refusal> {
    let mut low = super::super::lower::lower::<M>(f, options)?;
    M::combine(&mut low);
    let problem = Problem::new::<M>(&mut low);
    let out = problem.solve::<M>(options.quick)?;
    if options.check {
        if let Err(e) = problem.check::<M>(&out) {
            panic!("wrong register allocation of {}: {e}", f.name)
        }
    }
    emit::<M, E>(f, options, &mut low, &problem, &out, true)
        .or_else(|_| emit::<M, E>(f, options, &mut low, &problem, &out, false))
        .map_err(|_| Refusal::TooFar)
}

/// Emits; see [`Emitter::new`] for `near`. Err: a label out of range.
fn emit<M: Machine, E: Emitter>(
    f: &ir::Function,
    options: &Options,
    low: &mut Function,
    problem: &Problem,
    out: &Output,
    near: bool,
) -> Result<Assembled, String> {
    let mut w = Writer::<E> {
        e: E::new(frame(low, out), options.features, near),
        labels: vec![],
        outgoing: low.outgoing,
        points: FxHashMap::default(),
        comments: options.comments,
        align: !options.quick,
    };
    w.function::<M>(f, low, problem, out);
    w.e.into_sink().into_assembled()
}

/// Sizes of the frame.
fn frame(f: &Function, out: &Output) -> Frame {
    let slots = f.outgoing + out.num_spillslots as u32;
    Frame { size: 16 + (8 * slots + 15 & !15) }
}

struct Writer<E> {
    e: E,
    /// By block.
    labels: Vec<DynamicLabel>,
    outgoing: u32,
    /// Numbers of debug points by state and allocations.
    points: FxHashMap<(u32, Vec<Allocation>), u32>,
    comments: bool,
    /// Loops start where fetching them is cheap.
    align: bool,
}

impl<E: Emitter> Writer<E> {
    fn function<M: Machine>(&mut self, ir: &ir::Function, f: &mut Function, problem: &Problem, out: &Output) {
        let forward = forwarding(f, problem, out);
        let mut order: Vec<usize> = (0..f.blocks.len()).filter(|&b| b == 0 || forward[b] == b).collect();
        let loops = rotate(ir, f, &forward, &mut order);
        self.labels = (0..f.blocks.len()).map(|_| self.e.sink().label()).collect();
        if self.comments {
            self.comment(f.name.clone());
        }
        self.e.prologue();
        let mut emitted = vec![false; f.blocks.len()];
        for (n, &b) in order.iter().enumerate() {
            emitted[b] = true;
            if self.align && loops.contains(&b) {
                self.e.align();
            }
            let label = self.labels[b];
            self.e.sink().bind(label);
            if self.comments {
                let name = f.blocks[b].origin.map_or("edge".to_string(), |b| b.to_string());
                self.comment(format!("{name}:"));
            }
            let succs: Vec<DynamicLabel> = f.blocks[b].succs.iter().map(|s| self.labels[forward[s.0 as usize]]).collect();
            let next = order.get(n + 1).and_then(|&next| {
                f.blocks[b].succs.iter().position(|s| forward[s.0 as usize] == next).map(|s| s as u32)
            });
            let likely = f.blocks[b].succs.iter().position(|s| emitted[forward[s.0 as usize]]).unwrap_or(0) as u32;
            self.block::<M>(ir, f, problem, out, b, &succs, (next, likely));
        }
        self.e.finish();
    }

    fn comment(&mut self, text: String) {
        let at = self.e.sink().offset();
        self.e.sink().comments.push((at, text))
    }

    #[allow(clippy::too_many_arguments)]
    fn block<M: Machine>(
        &mut self,
        ir: &ir::Function,
        f: &mut Function,
        problem: &Problem,
        out: &Output,
        b: usize,
        succs: &[DynamicLabel],
        (next, likely): (Option<u32>, u32),
    ) {
        let mut origin = None;
        for step in out.block_insts_and_edits(problem, regalloc2::Block::new(b)) {
            match step {
                InstOrEdit::Edit(&Edit::Move { from, to }) => {
                    let (from, to) = (self.place(from), self.place(to));
                    if from != to {
                        self.e.mov(from, to)
                    }
                }
                InstOrEdit::Inst(i) => {
                    let state = problem.assign::<M>(f, out, i.index());
                    let data = &f.insts[i.index()];
                    if self.comments && data.origin != origin {
                        origin = data.origin;
                        if let Some(i) = origin {
                            self.comment(listing(ir, i));
                        }
                    }
                    let point = data.state.map(|s| self.point(f, s, state));
                    let null = data.null;
                    if let Some((reason, action)) = null {
                        self.e.sink().expect_fault(point.expect("a state to leave by"), reason, action);
                    }
                    self.e.inst(&f.insts[i.index()].inst, &At { point, succs, next, likely });
                    assert!(null.is_none() || self.e.sink().fault_was_placed(), "no access that could fault");
                }
            }
        }
    }

    fn place(&self, a: Allocation) -> Place {
        match a.as_reg() {
            Some(r) => Place::Reg(r),
            None => Place::Frame(self.slot_offset(a)),
        }
    }

    fn slot_offset(&self, a: Allocation) -> u32 {
        8 * (self.outgoing + a.as_stack().expect("an allocation").index() as u32)
    }

    /// Number of the debug point of state `s` with its values at `at`.
    fn point(&mut self, f: &Function, s: u32, at: &[Allocation]) -> u32 {
        if let Some(&n) = self.points.get(&(s, at.to_vec())) {
            return n;
        }
        let state = &f.states[s as usize];
        let value = |x: &Slot| match *x {
            Slot::Known(w) => w,
            Slot::Use(ty, n) => match at[n as usize].as_reg() {
                Some(r) if r.class() == RegClass::Int => Where::Int(ty, r.hw_enc() as u8),
                Some(r) => Where::Float(ty, r.hw_enc() as u8),
                None => Where::Frame(ty, self.slot_offset(at[n as usize])),
            },
        };
        let frames = state
            .frames
            .iter()
            .map(|x| FrameInfo {
                method: x.method,
                bci: x.bci,
                resume: x.resume,
                locals: x.locals.iter().map(value).collect(),
                stack: x.stack.iter().map(value).collect(),
                monitors: x.monitors.iter().map(|(o, elided)| (value(o), *elided)).collect(),
            })
            .collect();
        let virtuals = state
            .virtuals
            .iter()
            .map(|x| VirtualInfo {
                class: x.class,
                length: x.length,
                fields: x.fields.iter().map(|(at, mem, v)| (*at, *mem, value(v))).collect(),
                locks: x.locks,
                boxed: x.boxed,
            })
            .collect();
        let sink: &mut Sink<_> = self.e.sink();
        sink.points.push(PointData { frames, virtuals });
        let n = sink.points.len() as u32 - 1;
        self.points.insert((s, at.to_vec()), n);
        n
    }
}

/// Puts the test of a loop that is left from its header behind the rest of the loop, so that an iteration has one
/// jump less; the blocks that loops start with then.
fn rotate(ir: &ir::Function, f: &Function, forward: &[usize], order: &mut [usize]) -> Vec<usize> {
    let mut place = vec![usize::MAX; f.blocks.len()];
    for (n, &b) in order.iter().enumerate() {
        place[b] = n;
    }
    let succs = |b: usize| f.blocks[b].succs.iter().map(|s| forward[s.0 as usize]);
    // A block on an edge runs no more often than what is before it.
    let frequency = |b: usize| {
        let origin = f.blocks[b].origin.or_else(|| f.blocks[b].preds.first().and_then(|&p| f.blocks[p as usize].origin));
        origin.map_or(0.0, |b| ir.blocks[b].frequency)
    };
    // The place of each header, and the block that leads back to it most often.
    let mut loops: Vec<(usize, usize)> = Vec::new();
    for (n, &b) in order.iter().enumerate() {
        for header in succs(b).filter(|&s| f.blocks[s].heads_loop).map(|s| place[s]).filter(|&s| s <= n) {
            match loops.iter_mut().find(|l| l.0 == header) {
                Some(l) if frequency(order[l.1]) > frequency(b) => {}
                Some(l) => l.1 = n,
                None => loops.push((header, n)),
            }
        }
    }
    // Inner loops first: turning an outer one does not tear them apart.
    loops.sort_by_key(|&(first, last)| (last - first, first));
    let laid_out = order.to_vec();
    let mut starts = Vec::new();
    for (first, last) in loops {
        let (header, latch) = (laid_out[first], laid_out[last]);
        let inside = |b: usize| (first..=last).contains(&place[b]);
        let left_from_header = succs(header).any(|s| !inside(s)) && succs(header).any(inside);
        let jumps_back = order[last] == latch && f.blocks[latch].succs.len() == 1;
        // The entry stays first.
        if header != 0 && last > first && order[first] == header && left_from_header && jumps_back {
            order[first..=last].rotate_left(1);
        }
        starts.push(order[first]);
    }
    starts
}

/// Where a jump to each block ends up: blocks with nothing but a jump are passed over.
fn forwarding(f: &Function, problem: &Problem, out: &Output) -> Vec<usize> {
    let next: Vec<Option<usize>> = f
        .blocks
        .iter()
        .enumerate()
        .map(|(b, block): (usize, &lir::Block)| {
            let only_jump = block.end == block.first + 1
                && f.insts[block.first as usize].inst == Inst::Jump
                && out.block_insts_and_edits(problem, regalloc2::Block::new(b)).all(|s| match s {
                    InstOrEdit::Edit(Edit::Move { from, to }) => from == to,
                    InstOrEdit::Inst(_) => true,
                });
            only_jump.then(|| block.succs[0].0 as usize)
        })
        .collect();
    (0..f.blocks.len())
        .map(|b| {
            let mut at = b;
            // An endless loop of jumps stays one.
            for _ in 0..f.blocks.len() {
                match next[at] {
                    Some(n) => at = n,
                    None => return at,
                }
            }
            b
        })
        .collect()
}

/// The line of a listing for an instruction.
fn listing(f: &ir::Function, i: ir::Inst) -> String {
    let data = &f.insts[i];
    let (method, bci) = data.origin;
    let args: Vec<String> = data.args.iter().map(|a| a.to_string()).collect();
    let result = data.result.map_or(String::new(), |r| format!("{r} = "));
    let method = f.methods.get(method).map_or("", |m| &m.name[..]);
    format!("{result}{} {}  ; {method}@{bci}", ir::print::operation(&data.op), args.join(", "))
}
