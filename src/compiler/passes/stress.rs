//! `-XX:+DeoptStress`: before everything that could give up, a guard that does every so often.
//!
//! Runs after all other passes, so that what gives up is the code as it is without the flag.

use crate::compiler::ir::{Action, Binary, Cond, Function, Inst, Mem, Op, Reason, Type};

/// Puts a countdown of the 32-bit cell at `cell` before each check, poll and allocation; when it has come to 0
/// (or below: threads race), the code deoptimizes with the state of what it stands before.
pub fn run(f: &mut Function, cell: usize) {
    for b in f.reverse_postorder() {
        let insts = std::mem::take(&mut f.blocks[b].insts);
        let mut out: Vec<Inst> = Vec::with_capacity(insts.len());
        for i in insts {
            if is_point(&f.insts[i].op) {
                countdown(f, i, cell, &mut out);
            }
            out.push(i);
        }
        f.blocks[b].insts = out;
    }
}

/// Has a state that is that before it, so that one can leave there as well.
fn is_point(op: &Op) -> bool {
    op.is_check() || matches!(op, Op::Safepoint | Op::NewInstance(_) | Op::NewArray(_))
}

fn countdown(f: &mut Function, before: Inst, cell: usize, out: &mut Vec<Inst>) {
    let (state, origin) = (f.insts[before].state, f.insts[before].origin);
    let mut emit = |op: Op, args: Vec<_>, ty: Option<Type>| {
        let state = if matches!(op, Op::Guard(..)) { state } else { None };
        let inst = f.make_inst(op, args, ty, state, origin);
        out.push(inst);
        f.insts[inst].result
    };
    let mut value = |op: Op, args: Vec<_>, ty: Type| emit(op, args, Some(ty)).expect("a result was asked for");
    let address = value(Op::Const(cell as i64), vec![], Type::Ptr);
    let count = value(Op::LoadRaw(Mem::I32, 0), vec![address], Type::I32);
    let one = value(Op::Const(1), vec![], Type::I32);
    let less = value(Op::Binary(Binary::Sub), vec![count, one], Type::I32);
    let zero = value(Op::Const(0), vec![], Type::I32);
    let goes_on = value(Op::Compare(Cond::Gt), vec![less, zero], Type::I32);
    emit(Op::StoreRaw(Mem::I32, 0), vec![address, less], None);
    emit(Op::Guard(Reason::Stress, Action::None), vec![goes_on], None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiler::ir::verify::verify;
    use crate::compiler::ir::{FrameState, MethodName, Resume, Terminator};

    #[test]
    fn every_check_and_poll_gets_a_countdown_with_its_own_state() {
        let mut f = Function::new("t".into(), &[Type::Ref, Type::I32], None);
        let method = f.methods.push(MethodName { method: None, name: "t".into() });
        let origin = (method, 3);
        let state = |f: &mut Function, bci: u16| {
            f.states.push(FrameState {
                parent: None,
                method,
                bci,
                resume: Resume::Execute,
                locals: vec![],
                stack: vec![],
                monitors: vec![],
                virtuals: vec![],
            })
        };
        let (s3, s5) = (state(&mut f, 3), state(&mut f, 5));
        let (entry, params) = (f.entry, f.blocks[f.entry].params.clone());
        let array = f.append(entry, Op::NullCheck, vec![params[0]], Some(Type::Ref), Some(s3), origin);
        f.append(entry, Op::ArrayLength, vec![array.unwrap()], Some(Type::I32), None, origin);
        f.append(entry, Op::Safepoint, vec![], None, Some(s5), origin);
        f.blocks[entry].term = Terminator::Return(None);
        assert_eq!(verify(&f), Vec::<String>::new());
        run(&mut f, 0x1234);
        assert_eq!(verify(&f), Vec::<String>::new());
        let guards: Vec<_> = f.blocks[entry]
            .insts
            .windows(2)
            .filter(|w| f.insts[w[0]].op == Op::Guard(Reason::Stress, Action::None))
            .map(|w| (f.insts[w[0]].state, f.insts[w[1]].op.clone()))
            .collect();
        assert_eq!(guards, [(Some(s3), Op::NullCheck), (Some(s5), Op::Safepoint)]);
    }
}
