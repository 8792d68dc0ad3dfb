//! Methods of the class library that are operations (HotSpot's `vmIntrinsics`): recognized by holder, name and
//! descriptor, translated without a call.
//!
//! An intrinsic gives exactly what the method's own code gives; what it cannot deal with (an argument out of
//! range, an array of another type) deoptimizes, or is called after too many such.

use super::super::ir::{
    Action, Binary, Cond, Convert, Edge, Fence, Mem, Op, Order, Reason, RefFacts, Rmw, Runtime, Terminator, Type, Unary, Value,
};
use super::super::refusal::Refusal;
use super::Builder;
use crate::heap::layout::BasicType;
use crate::meta::class::ClassRef;
use crate::meta::loader;
use crate::meta::method::MethodRef;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::Known;

/// What an intrinsic is made of.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Unary(Unary),
    Binary(Binary),
    Convert(Convert),
    Leaf(Runtime),
    CurrentThread,
    GetClass,
    /// `Class.isInstance` of a class known to the compile.
    IsInstance,
    ArrayCopy,
    SpinWait,
    Fence(Fence),
    /// Unsafe accesses: the receiver, then object and offset.
    Get(Mem, Order),
    Put(Mem, Order),
    /// The result is whether it took place.
    CompareAndSet(Mem),
    /// The result is the witness.
    CompareAndExchange(Mem),
    Rmw(Rmw, Mem),
    /// `Integer.valueOf` and its like.
    Box,
}

impl Builder<'_> {
    /// Translates the call of `m` if it is an intrinsic; its result, if it has one.
    pub(super) fn intrinsic(&mut self, m: MethodRef, args: &[Value]) -> Result<Option<Option<Value>>, Refusal> {
        let Some(kind) = recognize(m) else { return Ok(None) };
        let ty = Type::of(m.return_type);
        let value = |b: &mut Self, op, args: Vec<Value>| {
            let v = b.value(op, args, ty.expect("the intrinsic has a value"));
            Ok(Some(Some(v)))
        };
        match kind {
            Kind::Unary(op) => value(self, Op::Unary(op), args.to_vec()),
            Kind::Binary(op) => value(self, Op::Binary(op), args.to_vec()),
            Kind::Convert(c) => value(self, Op::Convert(c), args.to_vec()),
            Kind::Leaf(r) => value(self, Op::CallRuntime(r), args.to_vec()),
            Kind::CurrentThread => {
                let v = self.value(Op::CurrentThread, vec![], Type::Ref);
                self.set_facts(v, RefFacts { class: Known::Thread.try_get(), exact: false, non_null: true });
                Ok(Some(Some(v)))
            }
            Kind::GetClass => {
                let class = self.value(Op::LoadClass, vec![args[0]], Type::Ptr);
                let offset = std::mem::offset_of!(crate::meta::class::Class, mirror) as i32;
                let v = self.value(Op::LoadRaw(Mem::WideRef, offset), vec![class], Type::Ref);
                self.set_facts(v, RefFacts { class: Known::Class.try_get(), exact: true, non_null: true });
                Ok(Some(Some(v)))
            }
            Kind::IsInstance => match self.known_class(args[0]) {
                Some(c) => value(self, Op::InstanceOf(c), vec![args[1]]),
                None => Ok(None),
            },
            Kind::ArrayCopy => Ok(self.array_copy(args).then_some(None)),
            Kind::SpinWait => Ok(Some(None)),
            Kind::Fence(f) => {
                self.effect(Op::Fence(f), vec![]);
                Ok(Some(None))
            }
            Kind::Get(mem, order) => {
                let v = self.value(Op::LoadUnsafe(mem, order), args[1..3].to_vec(), mem.value_type());
                Ok(Some(Some(v)))
            }
            Kind::Put(mem, order) => {
                let mut args = args[1..4].to_vec();
                if mem == Mem::U8 {
                    let one = self.iconst(1);
                    args[2] = self.value(Op::Binary(Binary::And), vec![args[2], one], Type::I32);
                }
                self.effect(Op::StoreUnsafe(mem, order), args);
                Ok(Some(None))
            }
            Kind::CompareAndSet(mem) => {
                let witness = self.value(Op::CompareExchange(mem), args[1..5].to_vec(), mem.value_type());
                let v = self.value(Op::Compare(Cond::Eq), vec![witness, args[3]], Type::I32);
                Ok(Some(Some(v)))
            }
            Kind::CompareAndExchange(mem) => value(self, Op::CompareExchange(mem), args[1..5].to_vec()),
            Kind::Box => Ok(self.box_value(m, args).map(Some)),
            Kind::Rmw(op, mem) => value(self, Op::Rmw(op, mem), args[1..4].to_vec()),
        }
    }

    /// `valueOf` of a class with a cache: an object from that, or a new one. A block parameter that is known to be
    /// the box of its value.
    fn box_value(&mut self, m: MethodRef, args: &[Value]) -> Option<Value> {
        let class = m.class();
        let &[v] = args else { return None };
        let (cache, lowest) = match class.name.as_bytes() {
            b"java/lang/Integer" => ("java/lang/Integer$IntegerCache", -128),
            b"java/lang/Long" => ("java/lang/Long$LongCache", -128),
            b"java/lang/Short" => ("java/lang/Short$ShortCache", -128),
            b"java/lang/Character" => ("java/lang/Character$CharacterCache", 0),
            _ => return None,
        };
        if self.request.tier != super::Tier::Optimized || !class.is_initialized() {
            return None;
        }
        let field = class.fields.iter().find(|f| !f.is_static() && f.name == "value")?;
        let cache = Self::static_object(loader::boot().find(Symbol::of(cache))?, "cache")?;
        let cached = super::memory::in_vm(|| cache.get().array_length()) as i64;
        let (mem, ty) = (Mem::of(field.basic_type), self.f.ty(v));
        let state = self.before_call(args);
        let v = self.narrow(v, field.basic_type);
        let constant = |b: &mut Self, c: i64| b.value(Op::Const(c), vec![], ty);
        let (first, length) = (constant(self, lowest), constant(self, cached));
        let index = self.value(Op::Binary(Binary::Sub), vec![v, first], ty);
        let cond = self.value(Op::Compare(Cond::ULt), vec![index, length], Type::I32);
        let [small, large, join] = [(); 3].map(|()| self.new_block());
        let edge = |b| Edge::new(b, vec![]);
        self.end(Terminator::Branch { cond, then: edge(small), other: edge(large), probability: 1 << 15 });
        let facts = RefFacts { class: Some(class), exact: true, non_null: true };
        let known = self.f.add_param(join, Type::Ref);
        self.cur = Some(small);
        let array = self.object(cache);
        let index = match ty {
            Type::I64 => self.value(Op::Convert(Convert::I64ToI32), vec![index], Type::I32),
            _ => index,
        };
        let found = self.value(Op::LoadElement(Mem::Ref), vec![array, index], Type::Ref);
        self.end(Terminator::Jump(Edge::new(join, vec![found])));
        self.cur = Some(large);
        let new = self.value_at(Op::NewInstance(class), vec![], Type::Ref, state);
        self.effect(Op::Store(mem, field.offset, Order::Plain), vec![new, v]);
        self.effect(Op::Fence(Fence::StoreStore), vec![new]);
        self.end(Terminator::Jump(Edge::new(join, vec![new])));
        self.cur = Some(join);
        for r in [found, new, known] {
            self.set_facts(r, facts);
        }
        for r in [found, known] {
            self.f.values[r].boxed = Some(v);
        }
        Some(known)
    }

    /// The class whose mirror `v` is.
    fn known_class(&self, v: Value) -> Option<ClassRef> {
        match self.f.def(v)?.op {
            Op::Mirror(c) => Some(c),
            _ => None,
        }
    }

    /// `System.arraycopy` between arrays whose types are known to fit. False if they are not.
    fn array_copy(&mut self, args: &[Value]) -> bool {
        let &[src, src_pos, dst, dst_pos, length] = args else { return false };
        let array = |b: &Self, v| {
            let f = b.facts(v);
            f.class.filter(|c| c.is_array() && (f.exact || c.is_primitive_array()))
        };
        let (Some(from), Some(to)) = (self.facts(src).class.filter(|c| c.is_array()), array(self, dst)) else {
            return false;
        };
        if from.is_primitive_array() != to.is_primitive_array() || !from.is_subclass_of(to) {
            return false;
        }
        if self.too_many_traps(Reason::Intrinsic) || self.too_many_traps(Reason::NullCheck) {
            return false;
        }
        let state = self.before_call(args);
        let src = self.value_at(Op::NullCheck, vec![src], Type::Ref, state);
        let dst = self.value_at(Op::NullCheck, vec![dst], Type::Ref, state);
        let zero = self.iconst(0);
        let guard = |b: &mut Self, c: Cond, x: Value, y: Value| {
            let ok = b.value(Op::Compare(c), vec![x, y], Type::I32);
            b.effect_at(Op::Guard(Reason::Intrinsic, Action::MaybeRecompile), vec![ok], state);
        };
        for v in [src_pos, dst_pos, length] {
            guard(self, Cond::Ge, v, zero);
        }
        for (array, pos) in [(src, src_pos), (dst, dst_pos)] {
            let have = self.value(Op::ArrayLength, vec![array], Type::I32);
            let rest = self.value(Op::Binary(Binary::Sub), vec![have, length], Type::I32);
            // Neither is negative, so the difference does not overflow.
            guard(self, Cond::Le, pos, rest);
        }
        self.effect(Op::CallRuntime(Runtime::ArrayCopy), vec![src, src_pos, dst, dst_pos, length]);
        true
    }
}

/// Whether `m` is translated without a call.
pub fn is_intrinsic(m: MethodRef) -> bool {
    recognize(m).is_some()
}

/// The intrinsic that `m` is.
fn recognize(m: MethodRef) -> Option<Kind> {
    let class = m.class();
    if !std::ptr::eq(class.loader, loader::boot()) {
        return None;
    }
    let name = std::str::from_utf8(m.name.as_bytes()).ok()?;
    let descriptor = m.descriptor.as_bytes();
    match class.name.as_bytes() {
        b"java/lang/Math" => math(name, descriptor),
        b"java/lang/StrictMath" => match name {
            // The natives that `Math` calls too; the others are Java code.
            "sin" if m.is_native() => Some(Kind::Leaf(Runtime::Sin)),
            "cos" if m.is_native() => Some(Kind::Leaf(Runtime::Cos)),
            "tan" if m.is_native() => Some(Kind::Leaf(Runtime::Tan)),
            "log" if m.is_native() => Some(Kind::Leaf(Runtime::Log)),
            "log10" if m.is_native() => Some(Kind::Leaf(Runtime::Log10)),
            _ => math(name, descriptor),
        },
        b"java/lang/Integer" | b"java/lang/Long" | b"java/lang/Short" | b"java/lang/Character"
            if name == "valueOf" && m.parameters.len() == 1 && !m.parameters[0].is_reference() =>
        {
            Some(Kind::Box)
        }
        b"java/lang/Integer" | b"java/lang/Long" => Some(Kind::Unary(match (name, descriptor) {
            ("bitCount", _) => Unary::BitCount,
            ("numberOfLeadingZeros", _) => Unary::LeadingZeros,
            ("numberOfTrailingZeros", _) => Unary::TrailingZeros,
            ("reverseBytes", _) => Unary::ReverseBytes,
            _ => return None,
        })),
        b"java/lang/Float" => Some(Kind::Convert(match name {
            "floatToRawIntBits" => Convert::F32Bits,
            "intBitsToFloat" => Convert::BitsF32,
            _ => return None,
        })),
        b"java/lang/Double" => Some(Kind::Convert(match name {
            "doubleToRawLongBits" => Convert::F64Bits,
            "longBitsToDouble" => Convert::BitsF64,
            _ => return None,
        })),
        b"java/lang/Thread" => match name {
            "currentThread" => Some(Kind::CurrentThread),
            "onSpinWait" => Some(Kind::SpinWait),
            _ => None,
        },
        b"java/lang/Object" => (name == "getClass").then_some(Kind::GetClass),
        b"java/lang/Class" => (name == "isInstance").then_some(Kind::IsInstance),
        b"java/lang/System" => (name == "arraycopy").then_some(Kind::ArrayCopy),
        b"jdk/internal/misc/Unsafe" => unsafe_access(name, descriptor),
        _ => None,
    }
}

fn math(name: &str, descriptor: &[u8]) -> Option<Kind> {
    Some(match (name, descriptor) {
        ("sqrt", _) => Kind::Unary(Unary::Sqrt),
        ("abs", _) => Kind::Unary(Unary::Abs),
        ("ceil", _) => Kind::Unary(Unary::Ceil),
        ("floor", _) => Kind::Unary(Unary::Floor),
        ("rint", _) => Kind::Unary(Unary::Rint),
        ("min", _) => Kind::Binary(Binary::Min),
        ("max", _) => Kind::Binary(Binary::Max),
        ("multiplyHigh", b"(JJ)J") => Kind::Binary(Binary::MulHigh),
        _ => return None,
    })
}

/// `getIntVolatile`, `compareAndSetReference`, …: an operation, a type, an order.
fn unsafe_access(name: &str, descriptor: &[u8]) -> Option<Kind> {
    match name {
        "loadFence" => return Some(Kind::Fence(Fence::Load)),
        "storeFence" => return Some(Kind::Fence(Fence::Store)),
        "storeStoreFence" => return Some(Kind::Fence(Fence::StoreStore)),
        "fullFence" => return Some(Kind::Fence(Fence::Full)),
        _ => {}
    }
    // The forms that take an object and an offset.
    if !descriptor.starts_with(b"(Ljava/lang/Object;J") {
        return None;
    }
    let strip = |prefix: &str| name.strip_prefix(prefix);
    let typed = |rest: &str| -> Option<(Mem, Order)> {
        let names = [
            ("Reference", BasicType::Object),
            ("Boolean", BasicType::Boolean),
            ("Byte", BasicType::Byte),
            ("Char", BasicType::Char),
            ("Short", BasicType::Short),
            ("Int", BasicType::Int),
            ("Long", BasicType::Long),
            ("Float", BasicType::Float),
            ("Double", BasicType::Double),
        ];
        let (n, t) = names.into_iter().find(|(n, _)| rest.starts_with(n))?;
        let order = match &rest[n.len()..] {
            "" => Order::Plain,
            // Opaque: coherent, and not torn; acquire and release are more than that.
            "Volatile" => Order::Volatile,
            "Acquire" | "Release" | "Opaque" => Order::AcquireRelease,
            _ => return None,
        };
        Some((Mem::of(t), order))
    };
    let whole = |mem: Mem| matches!(mem, Mem::I32 | Mem::I64 | Mem::Ref);
    if let Some((mem, _)) = strip("weakCompareAndSet").or(strip("compareAndSet")).and_then(|r| {
        typed(r).or_else(|| typed(r.strip_suffix("Plain")?)).filter(|(m, _)| whole(*m))
    }) {
        return Some(Kind::CompareAndSet(mem));
    }
    if let Some((mem, _)) = strip("compareAndExchange").and_then(typed).filter(|(m, _)| whole(*m)) {
        return Some(Kind::CompareAndExchange(mem));
    }
    let number = |mem: Mem| matches!(mem, Mem::I32 | Mem::I64);
    if let Some((mem, _)) = strip("getAndAdd").and_then(typed).filter(|(m, _)| number(*m)) {
        return Some(Kind::Rmw(Rmw::Add, mem));
    }
    if let Some((mem, _)) = strip("getAndSet").and_then(typed).filter(|(m, _)| whole(*m)) {
        return Some(Kind::Rmw(Rmw::Exchange, mem));
    }
    // Not `getUncompressedObject`, `getAddress`, `putIntUnaligned` and so on: their rest is no type with an order.
    if let Some((mem, order)) = strip("get").and_then(typed) {
        return Some(Kind::Get(mem, order));
    }
    strip("put").and_then(typed).map(|(mem, order)| Kind::Put(mem, order))
}
