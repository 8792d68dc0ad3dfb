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
use crate::link::load::{primitive_array_class, MirrorOf};
use crate::meta::class::ClassRef;
use crate::meta::field::FieldRef;
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
    /// `Class.cast` to a class known to the compile.
    Cast,
    /// `Preconditions.checkIndex` of ints.
    CheckIndex,
    ArrayCopy,
    /// `Class.isPrimitive`, `isArray`, `isInterface` of a class known to the compile.
    IsPrimitive,
    IsArray,
    IsInterface,
    /// An array of primitives with any contents: zeros will do.
    NewPrimitiveArray,
    /// An instance of a class known to the compile, without a constructor.
    NewInstance,
    /// Two byte arrays: null is left to the method.
    BytesEqual,
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
            // After too many failures the exception is made by the method itself.
            Kind::Cast => match self.known_class(args[0]).filter(|_| !self.too_many_traps(Reason::ClassCheck)) {
                Some(c) => {
                    let state = self.before_call(args);
                    self.cast(args[1], c, state).map(|v| Some(Some(v)))
                }
                None => Ok(None),
            },
            Kind::IsPrimitive | Kind::IsArray | Kind::IsInterface => {
                let Some(known) = self.mirrored(args[0]) else { return Ok(None) };
                let is = match (kind, known) {
                    (Kind::IsPrimitive, known) => matches!(known, MirrorOf::Primitive(_)),
                    (Kind::IsArray, MirrorOf::Class(c)) => c.is_array(),
                    (_, MirrorOf::Class(c)) => c.is_interface(),
                    (_, MirrorOf::Primitive(_)) => false,
                };
                Ok(Some(Some(self.iconst(i32::from(is)))))
            }
            // Negative lengths are left to the interpreter, and with it to the caller's checks.
            Kind::NewPrimitiveArray => match self.mirrored(args[1]) {
                Some(MirrorOf::Primitive(t)) if t != BasicType::Void => {
                    let class = primitive_array_class(t);
                    let state = self.before_call(args);
                    let v = self.value_at(Op::NewArray(class), vec![args[2]], Type::Ref, state);
                    self.set_facts(v, RefFacts { class: Some(class), exact: true, non_null: true });
                    Ok(Some(Some(v)))
                }
                _ => Ok(None),
            },
            Kind::NewInstance => match self.mirrored(args[1]) {
                Some(MirrorOf::Class(c)) if c.is_initialized() && is_instantiable(c) => {
                    let state = self.before_call(args);
                    let v = self.value_at(Op::NewInstance(c), vec![], Type::Ref, state);
                    self.set_facts(v, RefFacts { class: Some(c), exact: true, non_null: true });
                    Ok(Some(Some(v)))
                }
                _ => Ok(None),
            },
            Kind::CheckIndex => Ok(self.check_index(args)),
            Kind::ArrayCopy => Ok(self.array_copy(args).then_some(None)),
            Kind::BytesEqual => {
                if self.too_many_traps(Reason::NullCheck) {
                    return Ok(None);
                }
                let state = self.before_call(args);
                let a = self.value_at(Op::NullCheck, vec![args[0]], Type::Ref, state);
                let b = self.value_at(Op::NullCheck, vec![args[1]], Type::Ref, state);
                value(self, Op::CallRuntime(Runtime::BytesEqual), vec![a, b])
            }
            Kind::SpinWait => Ok(Some(None)),
            Kind::Fence(f) => {
                self.effect(Op::Fence(f), vec![]);
                Ok(Some(None))
            }
            Kind::Get(mem, order) => {
                if let Some((object, offset)) = self.field_of(args, mem) {
                    let v = self.value(Op::Load(mem, offset, order), vec![object], mem.value_type());
                    return Ok(Some(Some(v)));
                }
                let mut v = self.value(Op::LoadUnsafe(mem, order), args[1..3].to_vec(), mem.value_type());
                if mem == Mem::U8 {
                    // Any byte may be there; all but 0 are true.
                    let zero = self.iconst(0);
                    v = self.value(Op::Compare(Cond::Ne), vec![v, zero], Type::I32);
                }
                Ok(Some(Some(v)))
            }
            Kind::Put(mem, order) => {
                let field = self.field_of(args, mem);
                let mut args = args[1..4].to_vec();
                if mem == Mem::U8 {
                    let one = self.iconst(1);
                    args[2] = self.value(Op::Binary(Binary::And), vec![args[2], one], Type::I32);
                }
                match field {
                    Some((object, offset)) => self.effect(Op::Store(mem, offset, order), vec![object, args[2]]),
                    None => self.effect(Op::StoreUnsafe(mem, order), args),
                }
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

    /// Object and offset of an access by Unsafe that is one to a field for sure: a declared field is there, of just this
    /// type. An access to a part of a field, or to two, is none that the optimizer could tell from others.
    fn field_of(&self, args: &[Value], mem: Mem) -> Option<(Value, u32)> {
        let offset = u32::try_from(self.f.as_const(args[2])?).ok()?;
        let facts = self.facts(args[1]);
        let class = facts.class.filter(|c| facts.non_null && !c.is_interface() && !c.is_array())?;
        let is_it = |f: &FieldRef| !f.is_static() && f.offset == offset && Mem::of(f.basic_type) == mem;
        let mut classes = std::iter::successors(Some(class), |c| c.super_class);
        classes.any(|c| c.fields.iter().any(|f| is_it(f))).then_some((args[1], offset))
    }

    /// `Preconditions.checkIndex(index, length, …)`, which throws if the index is out of bounds: as array accesses
    /// check theirs.
    fn check_index(&mut self, args: &[Value]) -> Option<Option<Value>> {
        let &[index, length, _] = args else { return None };
        if self.too_many_traps(Reason::RangeCheck) || self.too_many_traps(Reason::Intrinsic) {
            return None;
        }
        let state = self.before_call(args);
        let zero = self.iconst(0);
        if !matches!(self.f.def(length).map(|d| &d.op), Some(Op::ArrayLength)) {
            let ok = self.value(Op::Compare(Cond::Ge), vec![length, zero], Type::I32);
            if self.f.as_const(ok).is_none_or(|c| c == 0) {
                self.effect_at(Op::Guard(Reason::Intrinsic, Action::MaybeRecompile), vec![ok], state);
            }
        }
        Some(Some(self.value_at(Op::BoundsCheck, vec![index, length], Type::I32, state)))
    }

    /// `System.arraycopy` between arrays whose types are known to fit. False if they are not.
    fn array_copy(&mut self, args: &[Value]) -> bool {
        let &[src, src_pos, dst, dst_pos, length] = args else { return false };
        let array = |b: &Self, v| b.facts(v).class.filter(|c| c.is_array());
        let (from, to) = (array(self, src), array(self, dst));
        // Whatever is in the one may be stored to the other.
        let fits = from.zip(to).is_some_and(|(f, t)| {
            f.is_primitive_array() == t.is_primitive_array()
                && f.is_subclass_of(t)
                && (self.facts(dst).exact || t.is_primitive_array())
        });
        let references = |c: ClassRef| !c.is_primitive_array();
        // Of object arrays not known so well: if they are of the same class.
        let same = !fits && from.or(to).is_some_and(references) && from.is_none_or(references) && to.is_none_or(references);
        if !fits && !same {
            return false;
        }
        if self.too_many_traps(Reason::Intrinsic) || self.too_many_traps(Reason::NullCheck) {
            return false;
        }
        let state = self.before_call(args);
        let src = self.value_at(Op::NullCheck, vec![src], Type::Ref, state);
        let dst = self.value_at(Op::NullCheck, vec![dst], Type::Ref, state);
        if same {
            let classes = [src, dst].map(|v| self.value(Op::LoadClass, vec![v], Type::Ptr));
            let ok = self.value(Op::Compare(Cond::Eq), classes.to_vec(), Type::I32);
            self.effect_at(Op::Guard(Reason::Intrinsic, Action::MaybeRecompile), vec![ok], state);
        }
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

/// Whether `new` can make instances of the class.
pub(super) fn is_instantiable(c: ClassRef) -> bool {
    !(c.is_abstract() || c.is_interface() || c.is_array() || Some(c) == Known::Class.try_get())
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
        b"java/lang/Class" => match name {
            "isInstance" => Some(Kind::IsInstance),
            "cast" => Some(Kind::Cast),
            "isPrimitive" => Some(Kind::IsPrimitive),
            "isArray" => Some(Kind::IsArray),
            "isInterface" => Some(Kind::IsInterface),
            _ => None,
        },
        b"jdk/internal/util/Preconditions" => {
            (name == "checkIndex" && descriptor.starts_with(b"(II")).then_some(Kind::CheckIndex)
        }
        b"java/lang/StringLatin1" | b"java/lang/StringUTF16" => {
            (name == "equals" && descriptor == b"([B[B)Z").then_some(Kind::BytesEqual)
        }
        b"java/lang/System" => (name == "arraycopy").then_some(Kind::ArrayCopy),
        b"jdk/internal/misc/Unsafe" if name == "allocateUninitializedArray0" => Some(Kind::NewPrimitiveArray),
        b"jdk/internal/misc/Unsafe" if name == "allocateInstance" => Some(Kind::NewInstance),
        b"jdk/internal/misc/Unsafe" => unsafe_access(name, descriptor),
        _ => None,
    }
}

fn math(name: &str, descriptor: &[u8]) -> Option<Kind> {
    Some(match (name, descriptor) {
        ("sqrt", _) => Kind::Unary(Unary::Sqrt),
        // Not of a float: its bytecode keeps the sign of a NaN, and the interpreter runs that.
        ("abs", b"(D)D" | b"(I)I" | b"(J)J") => Kind::Unary(Unary::Abs),
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
