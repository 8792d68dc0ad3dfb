//! Loop-invariant code motion: what depends on nothing in the loop is computed before it.
//!
//! Moved are operations without effect that cannot fail on operands they may not have been meant for: pure
//! arithmetic, and loads, lengths and type queries on objects that are not null whatever happens in the loop.
//! Checks stay: their frame states are those of the loop.

use super::rewrite::is_non_null;
use crate::compiler::ir::dominators::Dominators;
use crate::compiler::ir::{Block, Function, Inst, Op, Terminator, Type, Value, ValueDef};
use cranelift_entity::SecondaryMap;

/// A natural loop.
struct Loop {
    /// The block that enters it, and only it.
    preheader: Block,
    body: Vec<Block>,
}

pub fn run(f: &mut Function) -> bool {
    f.resolve_aliases();
    let dom = Dominators::new(f);
    let mut loops = find_loops(f, &dom);
    // Inner loops first: what leaves one may leave the next.
    loops.sort_by_key(|l| l.body.len());
    let mut home: SecondaryMap<Inst, Option<Block>> = SecondaryMap::new();
    for &b in &dom.order {
        for &i in &f.blocks[b].insts {
            home[i] = Some(b);
        }
    }
    let mut changed = false;
    for l in &loops {
        changed |= hoist(f, l, &mut home);
    }
    changed
}

/// Loops with a block of their own before them. (Irreducible ones are not found.)
fn find_loops(f: &Function, dom: &Dominators) -> Vec<Loop> {
    let preds = f.predecessors();
    let mut loops = Vec::new();
    for &header in &dom.order {
        let (back, enter): (Vec<Block>, Vec<Block>) =
            preds[header].iter().copied().partition(|&p| dom.dominates(header, p));
        let ([preheader], false) = (&enter[..], back.is_empty()) else { continue };
        if !matches!(f.blocks[*preheader].term, Terminator::Jump(_)) {
            continue;
        }
        let mut body = vec![header];
        let mut work = back;
        while let Some(b) = work.pop() {
            if !body.contains(&b) {
                body.push(b);
                work.extend(preds[b].iter().copied());
            }
        }
        loops.push(Loop { preheader: *preheader, body });
    }
    loops
}

fn hoist(f: &mut Function, l: &Loop, home: &mut SecondaryMap<Inst, Option<Block>>) -> bool {
    let inside = |home: &SecondaryMap<Inst, Option<Block>>, f: &Function, v: Value| match f.values[v].def {
        ValueDef::Result(i) => home[i].is_some_and(|b| l.body.contains(&b)),
        ValueDef::Param(b, _) => l.body.contains(&b),
        ValueDef::Alias(_) => unreachable!("aliases have been resolved"),
    };
    let writes = l.body.iter().flat_map(|&b| &f.blocks[b].insts).any(|&i| {
        let op = &f.insts[i].op;
        op.has_effect() && !matches!(op, Op::Safepoint | Op::Count(_) | Op::ProfileType(_))
    });
    let mut changed = false;
    let mut order: Vec<Block> = l.body.clone();
    // Definitions before uses.
    let place: std::collections::HashMap<Block, usize> =
        f.reverse_postorder().into_iter().enumerate().map(|(n, b)| (b, n)).collect();
    order.sort_by_key(|b| place.get(b).copied().unwrap_or(usize::MAX));
    for b in order {
        let insts = std::mem::take(&mut f.blocks[b].insts);
        let mut kept = Vec::with_capacity(insts.len());
        for i in insts {
            let d = &f.insts[i];
            let invariant = d.args.iter().all(|&a| !inside(home, f, a));
            if invariant && may_move(f, i, writes) {
                f.blocks[l.preheader].insts.push(i);
                home[i] = Some(l.preheader);
                changed = true;
            } else {
                kept.push(i);
            }
        }
        f.blocks[b].insts = kept;
    }
    changed
}

fn may_move(f: &Function, i: Inst, loop_writes: bool) -> bool {
    let d = &f.insts[i];
    let sound_object = |v: Value| f.ty(v) != Type::Ref || is_non_null(f, v);
    match d.op {
        // Cheaper to make again than to keep.
        Op::Const(_) | Op::FConst(_) | Op::Null => false,
        Op::ArrayLength | Op::LoadClass | Op::IsSubclass => d.args.iter().all(|&a| sound_object(a)),
        // Of an object that has not been checked for its class, the field may not be there.
        Op::Load(_, _, crate::compiler::ir::Order::Plain) => {
            !loop_writes && sound_object(d.args[0]) && is_checked_or_entry(f, d.args[0])
        }
        // Division by zero does not come up: the divisor has been checked, and the check stays where it is.
        Op::Binary(_) | Op::Unary(_) | Op::Convert(_) | Op::Compare(_) | Op::FCompare(..) | Op::Compare3
        | Op::FCompare3(_) | Op::Select | Op::InstanceOf(_) | Op::Object(_) | Op::Mirror(_) => true,
        _ => false,
    }
}

/// The reference is what the verifier or a check says it is wherever it is defined: any load of a field on it
/// was compiled for that type.
fn is_checked_or_entry(f: &Function, v: Value) -> bool {
    match f.values[v].def {
        ValueDef::Param(..) => true,
        ValueDef::Result(i) => !matches!(f.insts[i].op, Op::LoadUnsafe(..)),
        ValueDef::Alias(_) => false,
    }
}
