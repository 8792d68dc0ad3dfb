//! Bytecode to prepared code.

use super::insn::{Insn, PreparedCode, SwitchTable};
use super::op::Op;
use crate::classfile::Constant;
use crate::heap::layout::BasicType;
use crate::meta::method::{method_flags, MethodRef};
use std::sync::atomic::{AtomicU64, Ordering};

/// What preparing needs to know beside the bytecode.
pub struct Input<'a> {
    pub code: &'a [u8],
    pub max_stack: u16,
    pub max_locals: u16,
    pub synchronized: bool,
    pub object_init: bool,
    /// `Math.abs(double)`: see [`method_flags::MATH_ABS`].
    pub math_abs: bool,
    pub return_type: BasicType,
    /// Make superinstructions.
    pub fuse: bool,
    /// The constant at a pool index.
    pub constant: &'a dyn Fn(u16) -> Constant<'static>,
    /// Address of a cell holding these 64 bits, below 4 GiB; `None` if there is no memory.
    pub wide_cell: &'a dyn Fn(u64) -> Option<u32>,
    /// Class word of the array class of a primitive.
    pub primitive_array: &'a dyn Fn(BasicType) -> u32,
}

/// Why code could not be prepared.
#[derive(Debug, PartialEq, Eq)]
pub enum PrepareError {
    /// A bytecode that JVMS does not define, or code that ends within an instruction, at this
    /// bytecode index. Verified code never has that; unverified (`-Xverify:none`) may.
    Malformed(usize),
    MetaspaceExhausted,
}

/// The prepared code of `method`, made on its first invocation; a method with code only.
/// Concurrent callers get the same.
pub fn of_method(method: MethodRef) -> Result<&'static PreparedCode, PrepareError> {
    let p = method.prepared.load(Ordering::Acquire);
    if !p.is_null() {
        // SAFETY: set once below, lives as long as the method.
        return Ok(unsafe { &*p });
    }
    let holder = method.class();
    let code = prepare(&Input {
        code: method.code,
        max_stack: method.max_stack,
        max_locals: method.max_locals,
        synchronized: method.is_synchronized(),
        object_init: method.has_flag(method_flags::OBJECT_INIT),
        math_abs: method.has_flag(method_flags::MATH_ABS),
        return_type: method.return_type,
        fuse: true,
        constant: &|i| holder.constants.file().get(i),
        wide_cell: &|v| holder.kept_by.arena.place(v).ok().map(|c| c as *mut u64 as usize as u32),
        primitive_array: &|t| crate::link::load::primitive_array_class(t).word(),
    })?;
    let fresh = Box::into_raw(Box::new(code));
    match method.prepared.compare_exchange(std::ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: ours, now published; or the winner's, ours being unshared.
        Ok(_) => {
            crate::code::compiled::prepared(method);
            Ok(unsafe { &*fresh })
        }
        Err(first) => unsafe {
            drop(Box::from_raw(fresh));
            Ok(&*first)
        },
    }
}

struct Reader<'a> {
    code: &'a [u8],
    at: usize,
    start: usize,
}

impl Reader<'_> {
    fn u8(&mut self) -> Result<u8, PrepareError> {
        let v = *self.code.get(self.at).ok_or(PrepareError::Malformed(self.start))?;
        self.at += 1;
        Ok(v)
    }
    fn u16(&mut self) -> Result<u16, PrepareError> {
        Ok(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }
    fn i16(&mut self) -> Result<i32, PrepareError> {
        Ok(i32::from(self.u16()? as i16))
    }
    fn i32(&mut self) -> Result<i32, PrepareError> {
        Ok(i32::from_be_bytes([self.u8()?, self.u8()?, self.u8()?, self.u8()?]))
    }
}

/// Switch with targets as bytecode indices.
struct RawSwitch {
    insn: usize,
    /// `None`: lookup.
    low: Option<i32>,
    keys: Vec<i32>,
    targets: Vec<usize>,
    default: usize,
}

/// Decodes bytecode into prepared form.
pub fn prepare(input: &Input<'_>) -> Result<PreparedCode, PrepareError> {
    let mut r = Reader { code: input.code, at: 0, start: 0 };
    let mut insns: Vec<Insn> = Vec::with_capacity(input.code.len());
    let mut bcis: Vec<u16> = Vec::with_capacity(input.code.len());
    let mut by_bci = vec![u32::MAX; input.code.len()].into_boxed_slice();
    let mut branches: Vec<(usize, usize)> = Vec::new();
    let mut switches: Vec<RawSwitch> = Vec::new();
    let monitor_enters = count_monitor_enters(input.code);
    let monitor_slots = monitor_enters + u32::from(input.synchronized);
    if input.synchronized {
        insns.push(Insn::new(Op::SyncEnter, 0, 0));
        bcis.push(0);
    }
    while r.at < input.code.len() {
        r.start = r.at;
        let bci = r.at;
        by_bci[bci] = insns.len() as u32;
        let at = insns.len();
        let target = |offset: i32| {
            let t = bci as i64 + i64::from(offset);
            if t < 0 || t >= input.code.len() as i64 {
                Err(PrepareError::Malformed(bci))
            } else {
                Ok(t as usize)
            }
        };
        let insn = match r.u8()? {
            op @ (0xaa | 0xab) => {
                while r.at % 4 != 0 {
                    r.u8()?;
                }
                let default = target(r.i32()?)?;
                let (mut keys, mut targets) = (Vec::new(), Vec::new());
                let low = if op == 0xaa {
                    let (low, high) = (r.i32()?, r.i32()?);
                    for _ in i64::from(low)..=i64::from(high) {
                        targets.push(target(r.i32()?)?);
                    }
                    Some(low)
                } else {
                    for _ in 0..r.i32()? {
                        keys.push(r.i32()?);
                        targets.push(target(r.i32()?)?);
                    }
                    None
                };
                let kind = if low.is_some() { Op::TableSwitch } else { Op::LookupSwitch };
                switches.push(RawSwitch { insn: at, low, keys, targets, default });
                Insn::new(kind, 0, switches.len() as u32 - 1)
            }
            op @ (0x99..=0xa8 | 0xc6 | 0xc7) => {
                branches.push((at, target(r.i16()?)?));
                Insn::new(branch_op(op), 0, 0)
            }
            op @ (0xc8 | 0xc9) => {
                branches.push((at, target(r.i32()?)?));
                Insn::new(if op == 0xc8 { Op::Goto } else { Op::Jsr }, 0, 0)
            }
            op => simple(op, &mut r, input, monitor_slots > 0)?,
        };
        insns.push(insn);
        bcis.push(bci as u16);
    }
    let index = |from: usize, bci: usize| match by_bci[bci] {
        u32::MAX => Err(PrepareError::Malformed(bci)),
        i => Ok(i as i32 - from as i32),
    };
    for (at, bci) in branches {
        insns[at].b = index(at, bci)? as u32;
    }
    let mut tables = Vec::with_capacity(switches.len());
    for s in switches {
        let targets = s.targets.iter().map(|&t| index(s.insn, t)).collect::<Result<Box<[i32]>, _>>()?;
        let default = index(s.insn, s.default)?;
        tables.push(match s.low {
            Some(low) => SwitchTable::Table { low, targets, default },
            None => SwitchTable::Lookup { keys: s.keys.into(), targets, default },
        });
    }
    if input.math_abs {
        // dload_0, and dreturn behind the new instruction; what follows is not reached.
        insns[1] = Insn::new(Op::DAbs, 0, 0);
        insns[2] = insns[insns.len() - 1];
    }
    // Falling off the end cannot happen in verified code; in other code it must not run into
    // whatever lies behind.
    insns.push(Insn::new(Op::Illegal, 0, 0));
    bcis.push(input.code.len().saturating_sub(1) as u16);
    if input.fuse {
        super::fuse::fuse(&mut insns);
    }
    Ok(PreparedCode {
        insns: insns.into_iter().map(|i| AtomicU64::new(i.bits())).collect(),
        // An appendix argument and a trailing MemberName are not in max_stack.
        extent: u32::from(input.max_stack) + 2,
        frame_slots: u32::from(input.max_locals) + monitor_slots,
        monitor_slots,
        bci: bcis.into(),
        by_bci,
        tables: tables.into(),
    })
}

/// How many `monitorenter` bytes there are at most: operands are counted too, which does no
/// harm.
fn count_monitor_enters(code: &[u8]) -> u32 {
    let n = code.iter().filter(|&&b| b == 0xc2).count() as u32;
    // Operand bytes that look like monitorenter must not give a method records that makes its
    // returns slow: without a monitorexit there is no monitorenter worth recording.
    if n > 0 && code.contains(&0xc3) {
        n
    } else {
        0
    }
}

// Statics, not array literals where they are indexed: rustc 1.95 (LLVM 22) for AArch64 builds those on
// the stack and loses the stores of their last bytes.

/// Operations of the bytecodes from ifeq (0x99) to jsr.
static BRANCH_OPS: [Op; 16] = [
    Op::IfEq, Op::IfNe, Op::IfLt, Op::IfGe, Op::IfGt, Op::IfLe, Op::IfICmpEq, Op::IfICmpNe, Op::IfICmpLt,
    Op::IfICmpGe, Op::IfICmpGt, Op::IfICmpLe, Op::IfACmpEq, Op::IfACmpNe, Op::Goto, Op::Jsr,
];
/// Operations of the bytecodes from pop (0x57) to swap.
static STACK_OPS: [Op; 9] =
    [Op::Pop, Op::Pop2, Op::Dup, Op::DupX1, Op::DupX2, Op::Dup2, Op::Dup2X1, Op::Dup2X2, Op::Swap];
/// Operations of the bytecodes from iadd (0x60) to lxor.
static ARITHMETIC_OPS: [Op; 36] = [
    Op::IAdd, Op::LAdd, Op::FAdd, Op::DAdd, Op::ISub, Op::LSub, Op::FSub, Op::DSub, Op::IMul, Op::LMul, Op::FMul,
    Op::DMul, Op::IDiv, Op::LDiv, Op::FDiv, Op::DDiv, Op::IRem, Op::LRem, Op::FRem, Op::DRem, Op::INeg, Op::LNeg,
    Op::FNeg, Op::DNeg, Op::IShl, Op::LShl, Op::IShr, Op::LShr, Op::IUshr, Op::LUshr, Op::IAnd, Op::LAnd, Op::IOr,
    Op::LOr, Op::IXor, Op::LXor,
];
/// Operations of the bytecodes from i2l (0x85) to dcmpg.
static CONVERSION_OPS: [Op; 20] = [
    Op::I2l, Op::I2f, Op::I2d, Op::L2i, Op::L2f, Op::L2d, Op::F2i, Op::F2l, Op::F2d, Op::D2i, Op::D2l, Op::D2f,
    Op::I2b, Op::I2c, Op::I2s, Op::LCmp, Op::FCmpL, Op::FCmpG, Op::DCmpL, Op::DCmpG,
];
/// Operations of the bytecodes from getstatic (0xb2) to invokestatic.
static REFERENCE_OPS: [Op; 7] = [
    Op::GetStatic, Op::PutStatic, Op::GetField, Op::PutField, Op::InvokeVirtual, Op::InvokeSpecial, Op::InvokeStatic,
];

fn branch_op(op: u8) -> Op {
    match op {
        0xc6 => Op::IfNull,
        0xc7 => Op::IfNonNull,
        _ => BRANCH_OPS[op as usize - 0x99],
    }
}

/// Every instruction but branches and switches.
fn simple(op: u8, r: &mut Reader<'_>, input: &Input<'_>, monitors: bool) -> Result<Insn, PrepareError> {
    let plain = |op| Insn::new(op, 0, 0);
    let constant = |v: i32| Insn::new(Op::Const, 0, v as u32);
    let load = |i: u16| Insn::new(Op::Load, i, 0);
    let load2 = |i: u16| Insn::new(Op::Load2, i, 0);
    let store = |i: u16| Insn::new(Op::Store, i, 0);
    let store2 = |i: u16| Insn::new(Op::Store2, i, 0);
    Ok(match op {
        0x00 => plain(Op::Nop),
        0x01 => constant(0),
        0x02..=0x08 => constant(i32::from(op) - 3),
        0x09 | 0x0a => Insn::new(Op::LConst, 0, u32::from(op) - 9),
        0x0b..=0x0d => Insn::new(Op::Const, 0, f32::from(op - 0x0b).to_bits()),
        0x0e => Insn::new(Op::LConst, 0, 0),
        0x0f => plain(Op::DConst1),
        0x10 => constant(i32::from(r.u8()? as i8)),
        0x11 => constant(r.i16()?),
        0x12 => ldc(u16::from(r.u8()?), input)?,
        0x13 | 0x14 => ldc(r.u16()?, input)?,
        0x15 | 0x17 | 0x19 => load(u16::from(r.u8()?)),
        0x16 | 0x18 => load2(u16::from(r.u8()?)),
        0x1a..=0x1d => load(u16::from(op) - 0x1a),
        0x1e..=0x21 => load2(u16::from(op) - 0x1e),
        0x22..=0x25 => load(u16::from(op) - 0x22),
        0x26..=0x29 => load2(u16::from(op) - 0x26),
        0x2a..=0x2d => load(u16::from(op) - 0x2a),
        0x2e | 0x30 => plain(Op::IALoad),
        0x2f | 0x31 => plain(Op::LALoad),
        0x32 => plain(Op::AALoad),
        0x33 => plain(Op::BALoad),
        0x34 => plain(Op::CALoad),
        0x35 => plain(Op::SALoad),
        0x36 | 0x38 | 0x3a => store(u16::from(r.u8()?)),
        0x37 | 0x39 => store2(u16::from(r.u8()?)),
        0x3b..=0x3e => store(u16::from(op) - 0x3b),
        0x3f..=0x42 => store2(u16::from(op) - 0x3f),
        0x43..=0x46 => store(u16::from(op) - 0x43),
        0x47..=0x4a => store2(u16::from(op) - 0x47),
        0x4b..=0x4e => store(u16::from(op) - 0x4b),
        0x4f | 0x51 => plain(Op::IAStore),
        0x50 | 0x52 => plain(Op::LAStore),
        0x53 => plain(Op::AAStore),
        0x54 => plain(Op::BAStore),
        0x55 | 0x56 => plain(Op::CAStore),
        0x57..=0x5f => plain(STACK_OPS[op as usize - 0x57]),
        0x60..=0x83 => plain(ARITHMETIC_OPS[op as usize - 0x60]),
        0x84 => {
            let local = u16::from(r.u8()?);
            Insn::new(Op::IInc, local, i32::from(r.u8()? as i8) as u32)
        }
        0x85..=0x98 => plain(CONVERSION_OPS[op as usize - 0x85]),
        0xa9 => Insn::new(Op::Ret, u16::from(r.u8()?), 0),
        0xac..=0xb1 => {
            let kind = match (op, input.return_type) {
                (0xb1, _) if input.object_init => Op::ReturnObjectInit,
                (0xb1, _) => Op::Return,
                (0xad | 0xaf, _) => Op::Return2,
                (0xac, BasicType::Boolean) => Op::ReturnZ,
                (0xac, BasicType::Byte) => Op::ReturnB,
                (0xac, BasicType::Char) => Op::ReturnC,
                (0xac, BasicType::Short) => Op::ReturnS,
                _ => Op::Return1,
            };
            if monitors {
                Insn::new(Op::ReturnMonitors, kind as u16, 0)
            } else {
                plain(kind)
            }
        }
        0xb2..=0xb8 => {
            let kind = REFERENCE_OPS[op as usize - 0xb2];
            Insn::new(kind, 0, u32::from(r.u16()?))
        }
        0xb9 | 0xba => {
            let index = r.u16()?;
            r.u16()?;
            Insn::new(if op == 0xb9 { Op::InvokeInterface } else { Op::InvokeDynamic }, 0, u32::from(index))
        }
        0xbb => Insn::new(Op::New, 0, u32::from(r.u16()?)),
        0xbc => {
            let t = BasicType::from_code(r.u8()?).ok_or(PrepareError::Malformed(r.start))?;
            Insn::new(Op::NewArray, 0, (input.primitive_array)(t))
        }
        0xbd => Insn::new(Op::ANewArray, 0, u32::from(r.u16()?)),
        0xbe => plain(Op::ArrayLength),
        0xbf => plain(Op::AThrow),
        0xc0 => Insn::new(Op::CheckCast, 0, u32::from(r.u16()?)),
        0xc1 => Insn::new(Op::InstanceOf, 0, u32::from(r.u16()?)),
        0xc2 => plain(Op::MonitorEnter),
        0xc3 => plain(Op::MonitorExit),
        0xc4 => match r.u8()? {
            0x15 | 0x17 | 0x19 => load(r.u16()?),
            0x16 | 0x18 => load2(r.u16()?),
            0x36 | 0x38 | 0x3a => store(r.u16()?),
            0x37 | 0x39 => store2(r.u16()?),
            0x84 => {
                let local = r.u16()?;
                Insn::new(Op::IInc, local, r.i16()? as u32)
            }
            0xa9 => Insn::new(Op::Ret, r.u16()?, 0),
            _ => return Err(PrepareError::Malformed(r.start)),
        },
        0xc5 => {
            let index = r.u16()?;
            Insn::new(Op::MultiANewArray, u16::from(r.u8()?), u32::from(index))
        }
        _ => return Err(PrepareError::Malformed(r.start)),
    })
}

fn ldc(index: u16, input: &Input<'_>) -> Result<Insn, PrepareError> {
    let wide = |v: u64| {
        let cell = (input.wide_cell)(v).ok_or(PrepareError::MetaspaceExhausted)?;
        Ok(Insn::new(Op::Ldc2Q, 0, cell))
    };
    Ok(match (input.constant)(index) {
        Constant::Integer(v) => Insn::new(Op::Const, 0, v as u32),
        Constant::Float(bits) => Insn::new(Op::Const, 0, bits),
        Constant::Long(v) if i64::from(v as i32) == v => Insn::new(Op::LConst, 0, v as u32),
        Constant::Long(v) => wide(v as u64)?,
        Constant::Double(bits) => wide(bits)?,
        _ => Insn::new(Op::Ldc, 0, u32::from(index)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line per instruction: bci, operation, operands.
    fn text(code: &[u8], synchronized: bool, return_type: BasicType) -> Result<String, PrepareError> {
        let p = prepare(&Input {
            code,
            max_stack: 4,
            max_locals: 3,
            synchronized,
            object_init: false,
            math_abs: false,
            return_type,
            fuse: false,
            constant: &|i| match i {
                1 => Constant::Integer(-5),
                2 => Constant::Long(1 << 40),
                3 => Constant::Long(-1),
                4 => Constant::Float(1.5f32.to_bits()),
                _ => Constant::String { utf8: 9 },
            },
            wide_cell: &|v| Some((v >> 32) as u32),
            primitive_array: &|t| t as u32,
        })?;
        let lines = p.insns.iter().zip(&p.bci).map(|(i, bci)| {
            let i = Insn::from_bits(i.load(Ordering::Relaxed));
            format!("{bci} {:?} {} {}\n", i.operation(), i.a, i.b as i32)
        });
        Ok(lines.collect())
    }

    #[test]
    fn decodes_operands_and_branches() {
        // iload_1; ifle +7; wide iinc 300 by -2; goto -10 (to 0); bipush -3; ireturn
        let code = [0x1b, 0x9e, 0, 12, 0xc4, 0x84, 1, 44, 0xff, 0xfe, 0xa7, 0xff, 0xf6, 0x10, 0xfd, 0xac];
        assert_eq!(
            text(&code, false, BasicType::Int).unwrap(),
            "0 Load 1 0\n1 IfLe 0 3\n4 IInc 300 -2\n10 Goto 0 -3\n13 Const 0 -3\n15 Return1 0 0\n15 Illegal 0 0\n"
        );
    }

    #[test]
    fn constants_are_inlined() {
        let code = [0x12, 1, 0x14, 0, 2, 0x14, 0, 3, 0x12, 4, 0x12, 7, 0x0d, 0x0e, 0xb1];
        assert_eq!(
            text(&code, false, BasicType::Void).unwrap(),
            format!(
                "0 Const 0 -5\n2 Ldc2Q 0 {}\n5 LConst 0 -1\n8 Const 0 {}\n10 Ldc 0 7\n12 Const 0 {}\n13 LConst 0 0\n14 Return 0 0\n14 Illegal 0 0\n",
                1 << 8,
                1.5f32.to_bits() as i32,
                2f32.to_bits() as i32
            )
        );
    }

    #[test]
    fn synchronized_methods_lock_first_and_release_on_return() {
        assert_eq!(
            text(&[0x03, 0xac], true, BasicType::Boolean).unwrap(),
            format!("0 SyncEnter 0 0\n0 Const 0 0\n1 ReturnMonitors {} 0\n1 Illegal 0 0\n", Op::ReturnZ as u16)
        );
    }

    #[test]
    fn switches_have_relative_targets() {
        // iconst_0; tableswitch 5..6: 5 -> 24, 6 -> 0, default 25; return; return
        let mut code = vec![0x03, 0xaa, 0, 0];
        for v in [24i32, 5, 6, 23, -1] {
            code.extend(v.to_be_bytes());
        }
        code.extend([0xb1, 0xb1]);
        let p = prepare(&Input {
            code: &code,
            max_stack: 1,
            max_locals: 0,
            synchronized: false,
            object_init: false,
            math_abs: false,
            return_type: BasicType::Void,
            fuse: false,
            constant: &|_| Constant::Unusable,
            wide_cell: &|_| None,
            primitive_array: &|_| 0,
        })
        .unwrap();
        let t = &p.tables[0];
        assert_eq!([t.target(4), t.target(5), t.target(6), t.target(7)], [2, 1, -1, 2]);
    }

    #[test]
    fn malformed_code_is_an_error() {
        assert_eq!(text(&[0x10], false, BasicType::Void), Err(PrepareError::Malformed(0)));
        assert_eq!(text(&[0x00, 0xfe], false, BasicType::Void), Err(PrepareError::Malformed(1)));
        // A branch into the middle of an instruction.
        assert_eq!(text(&[0x10, 1, 0xa7, 0xff, 0xff], false, BasicType::Void), Err(PrepareError::Malformed(1)));
    }
}
