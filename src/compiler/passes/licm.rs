//! Loop-invariant code motion: what depends on nothing in the loop is computed before it.
//!
//! Moved are operations without effect that cannot fail on operands they may not have been meant for: pure
//! arithmetic, and loads, lengths and type queries on objects that are not null whatever happens in the loop.
//! Checks that every iteration makes are moved where the loop's mark ([`Op::LoopEntry`]) gives them the state from
//! which the interpreter runs the whole loop; otherwise they stay, as their own frame states are those of the loop.

use super::loops::{self, Loop};
use super::ranges::entry_state;
use super::rewrite::is_non_null;
use crate::compiler::ir::dominators::Dominators;
use crate::compiler::ir::{Action, Block, Function, Inst, Mem, Op, Order, Reason, State, Type, Value, ValueDef};
use cranelift_entity::SecondaryMap;

pub fn run(f: &mut Function) -> bool {
    f.resolve_aliases();
    let dom = Dominators::new(f);
    let mut home = loops::homes(f, &dom);
    let mut changed = false;
    // Inner loops first: what leaves one may leave the next.
    for l in loops::find(f, &dom).iter().rev() {
        if let Some(preheader) = l.preheader {
            changed |= hoist(f, &dom, l, preheader, &mut home);
        }
    }
    changed
}

/// What a loop writes.
#[derive(Default)]
struct Writes {
    /// Anything, or it orders other threads' writes.
    all: bool,
    /// Fields at these offsets.
    fields: Vec<u32>,
    /// Elements of this kind.
    elements: Vec<Mem>,
}

impl Writes {
    fn of(f: &Function, l: &Loop) -> Writes {
        let mut w = Writes::default();
        for &i in l.body.iter().flat_map(|&b| &f.blocks[b].insts) {
            match f.insts[i].op {
                Op::Store(_, offset, Order::Plain) => w.fields.push(offset),
                Op::StoreElement(mem) => w.elements.push(mem),
                // Allocation may collect, which moves objects and changes nothing else.
                Op::Safepoint | Op::LoopEntry | Op::Count(_) | Op::ProfileType(_) | Op::NewInstance(_)
                | Op::NewArray(_) => {}
                ref op => w.all |= op.has_effect(),
            }
        }
        w
    }
}

fn hoist(
    f: &mut Function,
    dom: &Dominators,
    l: &Loop,
    preheader: Block,
    home: &mut SecondaryMap<Inst, Option<Block>>,
) -> bool {
    let mut inside: SecondaryMap<Block, bool> = SecondaryMap::with_capacity(f.blocks.len());
    l.body.iter().for_each(|&b| inside[b] = true);
    let writes = Writes::of(f, l);
    let state = entry_state(f, preheader);
    let mut changed = false;
    // Definitions before uses.
    let mut order: Vec<Block> = l.body.clone();
    order.sort_by_key(|&b| dom.place(b));
    for b in order {
        let always = l.back.iter().all(|&back| dom.dominates(b, back));
        let insts = std::mem::take(&mut f.blocks[b].insts);
        let mut kept = Vec::with_capacity(insts.len());
        for i in insts {
            let d = &f.insts[i];
            let invariant = d.args.iter().all(|&a| loops::definition(f, home, a).is_some_and(|b| !inside[b]));
            if invariant && (may_move(f, i, &writes) || always && move_check(f, i, state)) {
                f.blocks[preheader].insts.push(i);
                home[i] = Some(preheader);
                changed = true;
            } else {
                kept.push(i);
            }
        }
        f.blocks[b].insts = kept;
    }
    changed
}

/// If it is a check, gives it the state before the loop, if there is one.
fn move_check(f: &mut Function, i: Inst, state: Option<State>) -> bool {
    let (true, Some(state)) = (f.insts[i].op.is_check(), state) else { return false };
    match &mut f.insts[i].op {
        // What is done about a failure in the loop may be wrong for one before it.
        Op::ExactClass(_, reason, action) | Op::Guard(reason, action) => {
            (*reason, *action) = (Reason::Predicate, Action::MaybeRecompile)
        }
        // The array may change its contents; the check reads but its class.
        Op::NullCheck | Op::BoundsCheck | Op::DivZeroCheck | Op::CheckCast(_) | Op::StoreCheck => {}
        _ => return false,
    }
    f.insts[i].state = Some(state);
    true
}

fn may_move(f: &Function, i: Inst, writes: &Writes) -> bool {
    let d = &f.insts[i];
    let sound_object = |v: Value| f.ty(v) != Type::Ref || is_non_null(f, v);
    match d.op {
        // Cheaper to make again than to keep.
        Op::Const(_) | Op::FConst(_) | Op::Null => false,
        Op::ArrayLength | Op::LoadClass | Op::IsSubclass => d.args.iter().all(|&a| sound_object(a)),
        // Of an object that has not been checked for its class, the field may not be there.
        Op::Load(_, offset, Order::Plain) => {
            !writes.all
                && !writes.fields.contains(&offset)
                && sound_object(d.args[0])
                && is_checked_or_entry(f, d.args[0])
        }
        // An index known by other means than its check may be in bounds only where it is used.
        Op::LoadElement(mem) => {
            !writes.all
                && !writes.elements.contains(&mem)
                && sound_object(d.args[0])
                && is_checked_or_entry(f, d.args[0])
                && f.def(d.args[1]).is_some_and(|x| x.op == Op::BoundsCheck)
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
