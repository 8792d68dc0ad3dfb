//! The emitter: frame, the allocator's moves, constants, and which file emits what.

use super::super::emit::{At, Emitter, Frame, Place, Sink, CODE_ALIGNMENT};
use super::super::lir::{FSize, Inst, Reg, Size};
use super::super::Features;
use super::{ADDRESS_SCRATCH, THREAD, VALUE_SCRATCH};
use crate::code::assembled::{PointKind, Stub};
use crate::code::inline_cache;
use crate::compiler::ir::Type;
use crate::threads::thread::offsets;
use dynasmrt::aarch64::{encode_logical_immediate_64bit, Aarch64Relocation};
use dynasmrt::{dynasm, DynamicLabel, DynasmApi, DynasmLabelApi};
use regalloc2::RegClass;

/// See [`Emitter`].
pub struct Arm64Emitter {
    pub(super) sink: Sink<Aarch64Relocation>,
    pub(super) features: Features,
    pub(super) slow: Vec<Slow>,
    /// No label is farther than tbz reaches (32 KiB).
    pub(super) near: bool,
    /// Where the prologue goes when there is no room for the frame.
    overflow: Option<DynamicLabel>,
    /// 8-byte constants behind the code.
    constants: Vec<(u64, DynamicLabel)>,
}

/// A frame of at most this many bytes is made where its caller's stack pointer is above the limit: the reserve below
/// the limit (`threads::lifecycle`) is many times that.
const UNCHECKED_FRAME: u32 = 4080;
/// ldp and stp reach the return address of frames of at most this many bytes.
pub(super) const NEAR_FRAME: u32 = 512;

/// What is out of line: entered at the first label, goes back to the second.
pub(super) enum Slow {
    /// Calls a stub of the kind that has a debug point.
    Point { entry: DynamicLabel, back: DynamicLabel, stub: Stub, point: u32, kind: PointKind, before: Before },
    /// Calls a leaf stub with `object` in the scratch register.
    Leaf { entry: DynamicLabel, back: DynamicLabel, stub: Stub, object: u8 },
    /// Inline cache in x10: what to call to x16.
    CacheMiss { entry: DynamicLabel, back: DynamicLabel },
}

/// What a slow path does before it calls its stub.
pub(super) enum Before {
    Nothing,
    /// x0 = the class word.
    Class(u32),
    /// x16 = these bits.
    Scratch(u64),
}

impl Emitter for Arm64Emitter {
    type Relocation = Aarch64Relocation;

    fn new(frame: Frame, features: Features, near: bool) -> Self {
        Arm64Emitter { sink: Sink::new(frame), features, slow: vec![], near, overflow: None, constants: vec![] }
    }

    fn sink(&mut self) -> &mut Sink<Aarch64Relocation> {
        &mut self.sink
    }

    fn align(&mut self) {
        while self.sink.offset() as usize % CODE_ALIGNMENT != 0 {
            dynasm!(self.sink.ops; .arch aarch64; nop);
        }
    }

    /// The frame pointer is left as it is: frames are walked by their sizes.
    fn prologue(&mut self) {
        let size = self.sink.frame.size;
        let overflow = self.sink.label();
        self.overflow = Some(overflow);
        if size <= UNCHECKED_FRAME {
            dynasm!(self.sink.ops; .arch aarch64
                ; ldr x16, [x28, offsets::NATIVE_STACK_LIMIT as u32]
                ; cmp sp, x16, uxtx
                ; b.lo =>overflow
            );
        } else {
            self.imm(VALUE_SCRATCH, Size::S64, i64::from(size));
            dynasm!(self.sink.ops; .arch aarch64
                ; sub x16, sp, x16
                ; ldr x17, [x28, offsets::NATIVE_STACK_LIMIT as u32]
                ; cmp x16, x17
                ; b.lo =>overflow
            );
        }
        if size == 16 {
            dynasm!(self.sink.ops; .arch aarch64; stp x29, x30, [sp, #-16]!);
        } else if size <= NEAR_FRAME {
            dynasm!(self.sink.ops; .arch aarch64; sub sp, sp, size; stp x29, x30, [sp, size as i32 - 16]);
        } else if size <= UNCHECKED_FRAME {
            dynasm!(self.sink.ops; .arch aarch64; stp x29, x30, [sp, #-16]!; sub sp, sp, size - 16);
        } else {
            dynasm!(self.sink.ops; .arch aarch64; stp x29, x30, [sp, #-16]!; mov sp, x16);
        }
    }

    fn mov(&mut self, from: Place, to: Place) {
        match (from, to) {
            (Place::Reg(a), Place::Reg(b)) => {
                let (a, b) = (a.hw_enc() as u8, b.hw_enc() as u8);
                match to_class(to) {
                    RegClass::Int => dynasm!(self.sink.ops; .arch aarch64; mov X(b), X(a)),
                    _ => dynasm!(self.sink.ops; .arch aarch64; fmov D(b), D(a)),
                }
            }
            (Place::Frame(at), Place::Reg(r)) => self.frame_access(true, r.class(), r.hw_enc() as u8, at),
            (Place::Reg(r), Place::Frame(at)) => self.frame_access(false, r.class(), r.hw_enc() as u8, at),
            (Place::Frame(_), Place::Frame(_)) => unreachable!("the allocator goes through its scratch register"),
        }
    }

    fn inst(&mut self, inst: &Inst, at: &At) {
        use Inst::*;
        match inst {
            Args { .. } => {}
            LoadIncoming { dst, ty, slot } => {
                let offset = self.sink.frame.size + slot * 8;
                let class = if ty.is_float() { RegClass::Float } else { RegClass::Int };
                self.frame_access(true, class, dst.hw(), offset);
                if *ty == Type::I32 {
                    dynasm!(self.sink.ops; .arch aarch64; mov W(dst.hw()), W(dst.hw()));
                }
            }
            Move { dst, src } => self.move_reg(*dst, *src),
            Imm { dst, size, value } => self.imm(dst.hw(), *size, *value),
            FImm { dst, size, bits } => self.float_imm(dst.hw(), *size, *bits),
            Alu { .. } | AluModified { .. } | MulAdd { .. } | BitField { .. } | Unary { .. } | Div { .. } | MulHigh { .. } | Lea { .. } | Compare3 { .. } => self.integer(inst),
            Set { .. } | Select { .. } => self.by_test(inst),
            FCompare3 { .. }
            | FAlu { .. }
            | FUnary { .. }
            | IntToFloat { .. }
            | FloatToInt { .. }
            | FloatToFloat { .. }
            | FloatToBits { .. }
            | BitsToFloat { .. } => self.float(inst),
            Load { .. }
            | Store { .. }
            | FStore { .. }
            | StoreOutgoing { .. }
            | CompareExchange { .. }
            | AtomicRmw { .. }
            | Fence(_)
            | TakeException { .. } => self.memory(inst),
            Barrier { .. } | NewInstance { .. } | NewArray { .. } | Count { .. } | ProfileType { .. } | CountAndNotify { .. } => {
                self.heap(inst, at)
            }
            Call(_) | TryCall(_) | Check { .. } | Safepoint | Jump | Branch { .. } | TableSwitch { .. }
            | SearchSwitch { .. } | Return { .. } | Throw { .. } | Deopt { .. } | Unreachable => self.control(inst, at),
        }
    }

    fn finish(&mut self) {
        for s in std::mem::take(&mut self.slow) {
            match s {
                Slow::Point { entry, back, stub, point, kind, before } => {
                    self.sink.bind(entry);
                    match before {
                        Before::Nothing => {}
                        Before::Class(word) => self.imm(0, Size::S32, i64::from(word)),
                        Before::Scratch(bits) => self.imm(VALUE_SCRATCH, Size::S64, bits as i64),
                    }
                    self.call_stub(stub);
                    self.sink.place(point, kind);
                    dynasm!(self.sink.ops; .arch aarch64; b =>back);
                }
                Slow::CacheMiss { entry, back } => {
                    self.sink.bind(entry);
                    dynasm!(self.sink.ops; .arch aarch64; ldr x16, [x10, inline_cache::offsets::MISS as u32]; b =>back);
                }
                Slow::Leaf { entry, back, stub, object } => {
                    self.sink.bind(entry);
                    dynasm!(self.sink.ops; .arch aarch64; mov x16, X(object));
                    self.call_stub(stub);
                    dynasm!(self.sink.ops; .arch aarch64; b =>back);
                }
            }
        }
        self.sink.emit_exits(|s| {
            dynasm!(s.ops; .arch aarch64; bl 0);
            s.relocate(4, Stub::Deopt);
        });
        if let Some(overflow) = self.overflow {
            self.sink.bind(overflow);
            self.jump_stub(Stub::StackOverflow);
        }
        if !self.constants.is_empty() {
            dynasm!(self.sink.ops; .arch aarch64; .align 8);
        }
        for (bits, label) in std::mem::take(&mut self.constants) {
            self.sink.bind(label);
            self.sink.ops.push_u64(bits)
        }
    }

    fn into_sink(self) -> Sink<Aarch64Relocation> {
        self.sink
    }
}

fn to_class(p: Place) -> RegClass {
    match p {
        Place::Reg(r) => r.class(),
        Place::Frame(_) => RegClass::Int,
    }
}

/// The 8 bits that stand for `value` in fmov (Arm ARM C2.2.3): sign, three bits of exponent (-3 to 4), four of
/// fraction.
fn float_immediate(value: f64) -> Option<u32> {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1023;
    if bits & ((1 << 48) - 1) != 0 || !(-3..=4).contains(&exponent) {
        return None;
    }
    let (sign, fraction) = ((bits >> 63) as u32, (bits >> 48 & 0xf) as u32);
    // The top bit is the complement of the exponent's: 1 to 4 are 000 to 011, -3 to 0 are 100 to 111.
    let exponent = ((exponent + 7) & 7) as u32;
    Some(sign << 7 | exponent << 4 | fraction)
}

impl Arm64Emitter {
    /// `bl` to a stub.
    pub(super) fn call_stub(&mut self, stub: Stub) {
        dynasm!(self.sink.ops; .arch aarch64; bl 0);
        self.sink.relocate(4, stub);
    }

    /// `b` to a stub.
    pub(super) fn jump_stub(&mut self, stub: Stub) {
        dynasm!(self.sink.ops; .arch aarch64; b 0);
        self.sink.relocate(4, stub);
    }

    pub(super) fn move_reg(&mut self, dst: Reg, src: Reg) {
        let (d, s) = (dst.hw(), src.hw());
        if d == s {
            return;
        }
        match dst.class() {
            RegClass::Int => dynasm!(self.sink.ops; .arch aarch64; mov X(d), X(s)),
            _ => dynasm!(self.sink.ops; .arch aarch64; fmov D(d), D(s)),
        }
    }

    /// Loads or stores 8 bytes at a distance from the stack pointer.
    fn frame_access(&mut self, load: bool, class: RegClass, r: u8, at: u32) {
        if at > 32760 {
            // add (extended register) takes the stack pointer.
            self.imm(ADDRESS_SCRATCH, Size::S64, i64::from(at));
            dynasm!(self.sink.ops; .arch aarch64; add x17, sp, x17);
            match (load, class) {
                (true, RegClass::Int) => dynasm!(self.sink.ops; .arch aarch64; ldr X(r), [x17]),
                (false, RegClass::Int) => dynasm!(self.sink.ops; .arch aarch64; str X(r), [x17]),
                (true, _) => dynasm!(self.sink.ops; .arch aarch64; ldr D(r), [x17]),
                (false, _) => dynasm!(self.sink.ops; .arch aarch64; str D(r), [x17]),
            }
            return;
        }
        match (load, class) {
            (true, RegClass::Int) => dynasm!(self.sink.ops; .arch aarch64; ldr X(r), [sp, at]),
            (false, RegClass::Int) => dynasm!(self.sink.ops; .arch aarch64; str X(r), [sp, at]),
            (true, _) => dynasm!(self.sink.ops; .arch aarch64; ldr D(r), [sp, at]),
            (false, _) => dynasm!(self.sink.ops; .arch aarch64; str D(r), [sp, at]),
        }
    }

    /// A constant, by at most two of movz, movn and movk, by one orr, or from behind the code.
    pub(super) fn imm(&mut self, r: u8, size: Size, value: i64) {
        let v = match size {
            Size::S32 => u64::from(value as u32),
            Size::S64 => value as u64,
        };
        let halves = [v as u16, (v >> 16) as u16, (v >> 32) as u16, (v >> 48) as u16];
        let zeros = halves.iter().filter(|&&h| h == 0).count();
        let ones = halves.iter().filter(|&&h| h == 0xffff).count();
        if size == Size::S32 && halves[1] == 0xffff {
            // movn of the 32-bit form clears the upper half.
            dynasm!(self.sink.ops; .arch aarch64; movn W(r), u32::from(!halves[0]));
            return;
        }
        if zeros < 3 && ones < 3 && encode_logical_immediate_64bit(v).is_some() {
            dynasm!(self.sink.ops; .arch aarch64; orr XSP(r), xzr, v);
            return;
        }
        if zeros.max(ones) < 2 {
            let at = self.constant(v);
            dynasm!(self.sink.ops; .arch aarch64; ldr X(r), =>at);
            return;
        }
        let (fill, mut first) = if ones > zeros { (0xffff, true) } else { (0, true) };
        for (i, &h) in halves.iter().enumerate() {
            if h == fill {
                continue;
            }
            let half = u32::from(h);
            match (std::mem::replace(&mut first, false), fill) {
                (true, 0) => self.mov_wide(0xd280_0000, r, half, i),
                (true, _) => self.mov_wide(0x9280_0000, r, half ^ 0xffff, i),
                (false, _) => self.mov_wide(0xf280_0000, r, half, i),
            }
        }
        if first {
            self.mov_wide(if fill == 0 { 0xd280_0000 } else { 0x9280_0000 }, r, 0, 0);
        }
    }

    /// movz, movn or movk (64-bit forms; `base` is the encoding) of a half-word.
    fn mov_wide(&mut self, base: u32, r: u8, half: u32, position: usize) {
        self.word(base | (position as u32) << 21 | half << 5 | u32::from(r));
    }

    /// The label of an 8-byte constant behind the code.
    fn constant(&mut self, bits: u64) -> DynamicLabel {
        if let Some(c) = self.constants.iter().find(|c| c.0 == bits) {
            return c.1;
        }
        let label = self.sink.label();
        self.constants.push((bits, label));
        label
    }

    /// A floating-point constant: by fmov if it is 0.0 or has an immediate form, else from behind the code.
    fn float_imm(&mut self, r: u8, size: FSize, bits: u64) {
        match size {
            FSize::F32 if bits as u32 == 0 => dynasm!(self.sink.ops; .arch aarch64; fmov S(r), wzr),
            FSize::F64 if bits == 0 => dynasm!(self.sink.ops; .arch aarch64; fmov D(r), xzr),
            FSize::F32 => match float_immediate(f64::from(f32::from_bits(bits as u32))) {
                Some(imm) => self.word(0x1e20_1000 | imm << 13 | u32::from(r)),
                None => {
                    let at = self.constant(u64::from(bits as u32));
                    dynasm!(self.sink.ops; .arch aarch64; ldr S(r), =>at)
                }
            },
            FSize::F64 => match float_immediate(f64::from_bits(bits)) {
                Some(imm) => self.word(0x1e60_1000 | imm << 13 | u32::from(r)),
                None => {
                    let at = self.constant(bits);
                    dynasm!(self.sink.ops; .arch aarch64; ldr D(r), =>at)
                }
            },
        }
    }

    /// One instruction by its encoding, where the form depends on the operands.
    pub(super) fn word(&mut self, word: u32) {
        self.sink.ops.push_u32(word);
    }

    /// The thread register by number, for encodings.
    pub(super) const THREAD: u8 = THREAD;
}

#[cfg(test)]
mod unit {
    use super::float_immediate;

    #[test]
    fn floating_point_immediates() {
        // What the 256 encodings stand for.
        for imm in 0..256u32 {
            let exponent = if imm & 0x40 == 0 { (imm >> 4 & 3) as i32 + 1 } else { (imm >> 4 & 3) as i32 - 3 };
            let value = f64::from(16 + (imm & 15)) / 16.0 * 2f64.powi(exponent);
            let value = if imm & 0x80 == 0 { value } else { -value };
            assert_eq!(float_immediate(value), Some(imm), "{value}");
        }
        for value in [0.0, -0.0, 0.1, 32.0, 1.0 / 16.0, 1.0 + 1.0 / 32.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE] {
            assert_eq!(float_immediate(value), None, "{value}");
        }
    }
}
