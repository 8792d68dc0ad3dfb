//! Superinstructions: operations that do the work of two or three instructions in sequence.
//!
//! The first instruction of a sequence gets a fused operation and keeps its operands; the
//! others stay as they are, so that branches into the sequence, the bytecode index map and
//! re-execution of any one of them stay right. A fused operation reads the others' operands
//! where they stand. When something is out of the ordinary (null, index out of bounds), it does
//! only the first instruction's work and leaves the rest to the instructions that follow.
//!
//! Operands read from a neighbour must never change: sequences with quickened instructions are
//! fused when the quick form is made, into one self-contained instruction.

use super::insn::Insn;
use super::op::Op;

/// Fuses what can be fused in decoded, not yet quickened code.
pub fn fuse(insns: &mut [Insn]) {
    for i in 0..insns.len() {
        // Only what lies ahead is looked at, which is not fused yet.
        let op = |k: usize| insns.get(i + k).map_or(Op::Illegal, |n: &Insn| n.operation());
        if let Some(fused) = sequence(op(0), op(1), op(2)) {
            insns[i].op = fused as u16;
        }
    }
}

/// The fused operation for three operations in sequence, or for the first two.
fn sequence(a: Op, b: Op, c: Op) -> Option<Op> {
    use Op::*;
    let three = match (a, b, c) {
        (Load, Load, IfICmpEq) => LoadLoadIfICmpEq,
        (Load, Load, IfICmpNe) => LoadLoadIfICmpNe,
        (Load, Load, IfICmpLt) => LoadLoadIfICmpLt,
        (Load, Load, IfICmpGe) => LoadLoadIfICmpGe,
        (Load, Load, IfICmpGt) => LoadLoadIfICmpGt,
        (Load, Load, IfICmpLe) => LoadLoadIfICmpLe,
        (Load, Const, IfICmpEq) => LoadConstIfICmpEq,
        (Load, Const, IfICmpNe) => LoadConstIfICmpNe,
        (Load, Const, IfICmpLt) => LoadConstIfICmpLt,
        (Load, Const, IfICmpGe) => LoadConstIfICmpGe,
        (Load, Const, IfICmpGt) => LoadConstIfICmpGt,
        (Load, Const, IfICmpLe) => LoadConstIfICmpLe,
        (Load, Load, IALoad) => LoadLoadIALoad,
        (Load, Load, LALoad) => LoadLoadLALoad,
        (Load, Load, AALoad) => LoadLoadAALoad,
        (Load, Load, BALoad) => LoadLoadBALoad,
        (Load, Load, CALoad) => LoadLoadCALoad,
        (Load, Load, IAdd) => LoadLoadIAdd,
        (Load, Load, ISub) => LoadLoadISub,
        (Load, Load, IMul) => LoadLoadIMul,
        (Load, Load, IAnd) => LoadLoadIAnd,
        (Load, Load, IOr) => LoadLoadIOr,
        (Load, Load, IXor) => LoadLoadIXor,
        (Load, Const, IAdd) => LoadConstIAdd,
        (Load, Const, ISub) => LoadConstISub,
        (Load, Const, IMul) => LoadConstIMul,
        (Load, Const, IAnd) => LoadConstIAnd,
        (Load, Const, IShl) => LoadConstIShl,
        (Load, Const, IShr) => LoadConstIShr,
        (Load, Const, IUshr) => LoadConstIUshr,
        (Load2, Load2, LAdd) => Load2Load2LAdd,
        (Load2, Load2, LSub) => Load2Load2LSub,
        (Load2, Load2, DAdd) => Load2Load2DAdd,
        (Load2, Load2, DSub) => Load2Load2DSub,
        (Load2, Load2, DMul) => Load2Load2DMul,
        _ => Illegal,
    };
    if three != Illegal {
        return Some(three);
    }
    Some(match (a, b) {
        // Left for the field access to join with the second load once it is quick.
        (Load, Load) if matches!(c, GetField | PutField) => return None,
        (Load, Load) => LoadLoad,
        (Load, IfEq) => LoadIfEq,
        (Load, IfNe) => LoadIfNe,
        (Load, IfLt) => LoadIfLt,
        (Load, IfGe) => LoadIfGe,
        (Load, IfGt) => LoadIfGt,
        (Load, IfLe) => LoadIfLe,
        (Load, IfNull) => LoadIfNull,
        (Load, IfNonNull) => LoadIfNonNull,
        (Const, IfICmpEq) => ConstIfICmpEq,
        (Const, IfICmpNe) => ConstIfICmpNe,
        (Const, IfICmpLt) => ConstIfICmpLt,
        (Const, IfICmpGe) => ConstIfICmpGe,
        (Const, IfICmpGt) => ConstIfICmpGt,
        (Const, IfICmpLe) => ConstIfICmpLe,
        (Load, IALoad) => LoadIALoad,
        (Load, LALoad) => LoadLALoad,
        (Load, AALoad) => LoadAALoad,
        (Load, BALoad) => LoadBALoad,
        (Load, CALoad) => LoadCALoad,
        (Load, IAdd) => LoadIAdd,
        (Load, ISub) => LoadISub,
        (Load, IMul) => LoadIMul,
        (Load, IAnd) => LoadIAnd,
        (Load, IOr) => LoadIOr,
        (Load, IXor) => LoadIXor,
        (Const, IAdd) => ConstIAdd,
        (Const, ISub) => ConstISub,
        (Const, IMul) => ConstIMul,
        (Const, IAnd) => ConstIAnd,
        (Const, IShl) => ConstIShl,
        (Const, IShr) => ConstIShr,
        (Const, IUshr) => ConstIUshr,
        (Load2, LAdd) => Load2LAdd,
        (Load2, LSub) => Load2LSub,
        (Load2, DAdd) => Load2DAdd,
        (Load2, DSub) => Load2DSub,
        (Load2, DMul) => Load2DMul,
        (Load2, Load2) => Load2Load2,
        (IAdd, Store) => IAddStore,
        (IXor, Store) => IXorStore,
        (LAdd, Store2) => LAddStore2,
        (DAdd, Store2) => DAddStore2,
        (Load, Store) => LoadStore,
        (Store, Load) => StoreLoad,
        (Load, ArrayLength) => LoadArrayLength,
        (IInc, Goto) => IIncGoto,
        (IInc, Load) => IIncLoad,
        _ => return None,
    })
}

/// The self-contained instruction for `Load` of local `local` followed by `quick`, a quickened
/// field access.
pub fn load_and(local: u16, quick: Insn) -> Option<Insn> {
    let op = match quick.operation() {
        Op::GetFieldB => Op::LoadGetFieldB,
        Op::GetFieldC => Op::LoadGetFieldC,
        Op::GetFieldI => Op::LoadGetFieldI,
        Op::GetFieldJ => Op::LoadGetFieldJ,
        Op::GetFieldA => Op::LoadGetFieldA,
        Op::PutFieldI => Op::LoadPutFieldI,
        Op::PutFieldA => Op::LoadPutFieldA,
        _ => return None,
    };
    Some(Insn::new(op, local, quick.b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_overlap_so_that_branches_into_them_stay_right() {
        let mut code = [
            Insn::new(Op::Load, 1, 0),
            Insn::new(Op::Load, 2, 0),
            Insn::new(Op::IAdd, 0, 0),
            Insn::new(Op::Store, 3, 0),
            Insn::new(Op::Return, 0, 0),
        ];
        fuse(&mut code);
        let ops: Vec<Op> = code.iter().map(|i| i.operation()).collect();
        assert_eq!(ops, [Op::LoadLoadIAdd, Op::LoadIAdd, Op::IAddStore, Op::Store, Op::Return]);
        assert_eq!([code[0].a, code[1].a, code[3].a], [1, 2, 3], "operands stay");
    }

    #[test]
    fn loads_wait_for_field_accesses() {
        let mut code = [Insn::new(Op::Load, 0, 0), Insn::new(Op::Load, 0, 0), Insn::new(Op::GetField, 0, 7)];
        fuse(&mut code);
        assert_eq!(code[0].operation(), Op::Load);
        let quick = Insn::new(Op::GetFieldI, 0, 24);
        assert_eq!(load_and(5, quick), Some(Insn::new(Op::LoadGetFieldI, 5, 24)));
        assert_eq!(load_and(5, Insn::new(Op::GetFieldV, 10, 24)), None);
    }
}
