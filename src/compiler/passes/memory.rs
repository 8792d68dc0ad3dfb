//! Redundant loads: a plain load of what an earlier load or store on the only way here has left there is that
//! value. Knows nothing at merges and loop headers.
//!
//! Sound in the Java memory model: plain accesses may be cached until something orders them (acquire loads,
//! volatile accesses, fences, locks, calls), which forgets everything here.

use crate::compiler::ir::{Block, Fence, Function, Inst, Mem, Op, Order, Value};
use rustc_hash::FxHashMap;

/// A place in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Place {
    Field(Value, u32, Mem),
    Element(Value, Value, Mem),
}

type Known = FxHashMap<Place, Value>;

pub fn run(f: &mut Function) -> bool {
    f.resolve_aliases();
    let preds = f.predecessors();
    let mut at_end: FxHashMap<Block, Known> = FxHashMap::default();
    let mut changed = false;
    for b in f.reverse_postorder() {
        let mut known = match preds[b][..] {
            // The way in from a call that threw starts anew, as from any call.
            [p] => at_end.get(&p).cloned().unwrap_or_default(),
            _ => Known::default(),
        };
        let insts = std::mem::take(&mut f.blocks[b].insts);
        let mut kept = Vec::with_capacity(insts.len());
        for i in insts {
            for n in 0..f.insts[i].args.len() {
                f.insts[i].args[n] = f.resolve(f.insts[i].args[n]);
            }
            if step(f, i, &mut known) {
                changed = true;
            } else {
                kept.push(i);
            }
        }
        f.blocks[b].insts = kept;
        at_end.insert(b, known);
    }
    f.resolve_aliases();
    changed
}

/// Follows one instruction; true if it is redundant and has been replaced.
fn step(f: &mut Function, i: Inst, known: &mut Known) -> bool {
    let d = f.insts[i].clone();
    let a = &d.args;
    match d.op {
        Op::Load(mem, offset, Order::Plain) => load(f, &d, Place::Field(a[0], offset, mem), known),
        Op::LoadElement(mem) => load(f, &d, Place::Element(a[0], a[1], mem), known),
        Op::Store(mem, offset, Order::Plain) => {
            known.retain(|p, _| !matches!(p, Place::Field(_, o, _) if overlaps(*o, offset)));
            if keeps_all_bits(mem) {
                known.insert(Place::Field(a[0], offset, mem), a[1]);
            }
            false
        }
        Op::StoreElement(mem) => {
            known.retain(|p, _| !matches!(p, Place::Element(_, _, m) if m.log2_bytes() == mem.log2_bytes()));
            if keeps_all_bits(mem) {
                known.insert(Place::Element(a[0], a[1], mem), a[2]);
            }
            false
        }
        Op::Fence(Fence::StoreStore) => false,
        // VM data; profile cells.
        Op::StoreRaw(..) | Op::Count(_) | Op::ProfileType(_) | Op::LoopEntry => false,
        // Allocation may collect, which moves objects and changes nothing else.
        Op::NewInstance(_) | Op::NewArray(_) => false,
        ref op if op.has_effect() => {
            known.clear();
            false
        }
        _ => false,
    }
}

fn load(f: &mut Function, d: &crate::compiler::ir::InstData, place: Place, known: &mut Known) -> bool {
    let r = d.result.expect("a load has a value");
    match known.get(&place) {
        Some(&v) => {
            let v = f.resolve(v);
            // What has been stored may be known to be less than what was declared.
            f.replace(r, v);
            true
        }
        None => {
            known.insert(place, r);
            false
        }
    }
}

/// Fields of different objects, or of one seen at different types (unsafe accesses do not come here), overlap
/// only at the same offset: fields are laid out apart.
fn overlaps(a: u32, b: u32) -> bool {
    a == b
}

/// A load gives back exactly what was stored.
fn keeps_all_bits(mem: Mem) -> bool {
    matches!(mem, Mem::I32 | Mem::I64 | Mem::F32 | Mem::F64 | Mem::Ref)
}
