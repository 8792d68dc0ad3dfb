//! Fields, arrays, allocation, casts and the checks they need.

use super::super::ir::{
    Action, Binary, Cond, Mem, Op, Order, Reason, RefFacts, Runtime, State, Terminator, Type, Value,
};
use super::super::refusal::Refusal;
use super::intrinsics::is_instantiable;
use super::{resolve, Builder};
use crate::heap::layout::BasicType;
use crate::heap::roots::RootSlot;
use crate::meta::class::ClassRef;
use crate::meta::field::FieldRef;
use crate::meta::well_known::Known;
use crate::threads::JavaThread;

/// Runs `f`, which looks at objects, in a state in which the collector does not move them. Compiler threads are
/// attached; a test's thread need not be.
pub(super) fn in_vm<R>(f: impl FnOnce() -> R) -> R {
    let thread = JavaThread::current();
    let _scope = thread.map(|t| t.vm_scope());
    f()
}

/// The string constant at `index`, as a slot that keeps it. Making it takes memory, but no Java code.
pub(super) fn string_constant(holder: ClassRef, index: u16) -> Option<&'static RootSlot> {
    let constants = &holder.constants;
    if constants.slot(index).is_none() && constants.error(index).is_none() {
        let t = JavaThread::current()?;
        let _scope = t.vm_scope();
        if crate::invoke::constants::resolve_constant(t, holder, index).is_err() {
            t.take_exception();
        }
    }
    constants.slot(index)
}

/// The array class whose elements are `component`, made if need be.
fn array_class(component: ClassRef) -> Option<ClassRef> {
    component.array_class_if_made().or_else(|| {
        let t = JavaThread::current()?;
        let _scope = t.vm_scope();
        let made = crate::link::load::array_class(t, component);
        if made.is_err() {
            t.take_exception();
        }
        made.ok()
    })
}

impl Builder<'_> {
    // ---------------------------------------------------------------- checks

    /// `v`, known not to be null afterwards, also where else the frame has it.
    pub(super) fn null_check(&mut self, v: Value, state: State) -> Result<Value, Refusal> {
        let mut facts = self.facts(v);
        if facts.non_null {
            return Ok(v);
        }
        facts.non_null = true;
        if self.too_many_traps(Reason::NullCheck) {
            let null = self.null();
            let ok = self.value(Op::Compare(Cond::Ne), vec![v, null], Type::I32);
            let good = self.unlikely(ok);
            self.runtime_throw(Runtime::ThrowNullPointer, vec![v], state)?;
            self.cur = Some(good);
        }
        let checked = self.value_at(Op::NullCheck, vec![v], Type::Ref, state);
        self.set_facts(checked, facts);
        self.sm().frame.refine(v, checked);
        Ok(checked)
    }

    fn bounds_check(&mut self, array: Value, index: Value, state: State) -> Result<Value, Refusal> {
        let length = self.array_length(array);
        if let (Some(i), Some(n)) = (self.f.as_const(index), self.f.as_const(length)) {
            if (i as u32) < n as u32 {
                return Ok(index);
            }
        }
        if self.too_many_traps(Reason::RangeCheck) {
            let ok = self.value(Op::Compare(Cond::ULt), vec![index, length], Type::I32);
            let good = self.unlikely(ok);
            self.runtime_throw(Runtime::ThrowIndexOutOfBounds, vec![array, index], state)?;
            self.cur = Some(good);
        }
        Ok(self.value_at(Op::BoundsCheck, vec![index, length], Type::I32, state))
    }

    pub(super) fn div_zero_check(&mut self, v: Value, ty: Type, state: State) -> Result<Value, Refusal> {
        if self.too_many_traps(Reason::Div0Check) {
            let zero = self.value(Op::Const(0), vec![], ty);
            let ok = self.value(Op::Compare(Cond::Ne), vec![v, zero], Type::I32);
            let good = self.unlikely(ok);
            self.runtime_throw(Runtime::ThrowDivisionByZero, vec![], state)?;
            self.cur = Some(good);
        }
        Ok(self.value_at(Op::DivZeroCheck, vec![v], ty, state))
    }

    // ---------------------------------------------------------------- arrays

    /// iaload (0x2e) to saload, iastore (0x4f) to sastore.
    pub(super) fn array_access(&mut self, op: u8) -> Result<(), Refusal> {
        const MEMS: [Mem; 8] =
            [Mem::I32, Mem::I64, Mem::F32, Mem::F64, Mem::Ref, Mem::I8, Mem::U16, Mem::I16];
        let store = op >= 0x4f;
        let mem = MEMS[op as usize - if store { 0x4f } else { 0x2e }];
        let state = self.execute();
        let value = if store { Some(self.pop(mem.value_type())?) } else { None };
        let index = self.pop(Type::I32)?;
        let array = self.pop(Type::Ref)?;
        let array = self.null_check(array, state)?;
        if let Some(v) = self.constant_element(array, index).filter(|_| !store) {
            self.push(v);
            return Ok(());
        }
        let index = self.bounds_check(array, index, state)?;
        let Some(value) = value else {
            let v = self.value(Op::LoadElement(mem), vec![array, index], mem.value_type());
            if mem == Mem::Ref {
                let class = self.facts(array).class.and_then(|c| c.component);
                self.set_facts(v, RefFacts { class: class.filter(|c| !c.is_interface()), ..RefFacts::default() });
            }
            self.push(v);
            return Ok(());
        };
        let value = match op {
            0x53 => self.store_check(array, value, state)?,
            0x54 => self.byte_or_boolean(array, value),
            _ => value,
        };
        self.effect(Op::StoreElement(mem), vec![array, index, value]);
        Ok(())
    }

    fn store_check(&mut self, array: Value, value: Value, state: State) -> Result<Value, Refusal> {
        let facts = self.facts(value);
        if matches!(self.f.def(value).map(|d| &d.op), Some(Op::Null)) {
            return Ok(value);
        }
        if let Some(a) = self.facts(array).class.filter(|_| self.facts(array).exact) {
            if facts.class.zip(a.component).is_some_and(|(v, c)| v.is_subclass_of(c)) {
                return Ok(value);
            }
        }
        self.profile_type(value);
        if self.too_many_traps(Reason::ArrayCheck) {
            let good = self.new_block();
            let test = self.new_block();
            let null = self.null();
            let is_null = self.value(Op::Compare(Cond::Eq), vec![value, null], Type::I32);
            let edge = |b| super::Edge::new(b, vec![]);
            self.end(Terminator::Branch { cond: is_null, then: edge(good), other: edge(test), probability: 1 << 12 });
            self.cur = Some(test);
            let a = self.value(Op::LoadClass, vec![array], Type::Ptr);
            let offset = std::mem::offset_of!(crate::meta::class::Class, component) as i32;
            let component = self.value(Op::LoadRaw(Mem::Ptr64, offset), vec![a], Type::Ptr);
            let v = self.value(Op::LoadClass, vec![value], Type::Ptr);
            let ok = self.value(Op::IsSubclass, vec![v, component], Type::I32);
            let fine = self.unlikely(ok);
            self.runtime_throw(Runtime::ThrowArrayStore, vec![array, value], state)?;
            self.cur = Some(fine);
            self.jump(good);
            self.cur = Some(good);
            return Ok(value);
        }
        let v = self.value_at(Op::StoreCheck, vec![array, value], Type::Ref, state);
        self.set_facts(v, facts);
        Ok(v)
    }

    /// `bastore` serves boolean[] too, which takes the lowest bit only.
    fn byte_or_boolean(&mut self, array: Value, value: Value) -> Value {
        let booleans = crate::link::load::primitive_array_class(BasicType::Boolean);
        match self.facts(array).class {
            Some(c) if c == booleans => return self.narrow(value, BasicType::Boolean),
            Some(c) if c.is_primitive_array() => return value,
            _ => {}
        }
        let bit = self.narrow(value, BasicType::Boolean);
        let class = self.value(Op::LoadClass, vec![array], Type::Ptr);
        let boolean = self.value(Op::Const(i64::from(booleans.word())), vec![], Type::Ptr);
        let is = self.value(Op::Compare(Cond::Eq), vec![class, boolean], Type::I32);
        self.value(Op::Select, vec![is, bit, value], Type::I32)
    }

    // ---------------------------------------------------------------- fields

    pub(super) fn get_field(&mut self, index: u16) -> Result<(), Refusal> {
        let Some(f) = resolve::field(self.s().method, index, false, false) else {
            self.unloaded();
            return Ok(());
        };
        let state = self.execute();
        let object = self.pop(Type::Ref)?;
        let object = self.null_check(object, state)?;
        if self.constant_field(f, object) {
            return Ok(());
        }
        if let Some(v) = self.f.values[object].boxed.filter(|_| f.name == "value") {
            self.push(v);
            return Ok(());
        }
        self.load_field(f, object);
        Ok(())
    }

    fn load_field(&mut self, f: FieldRef, object: Value) {
        let mem = Mem::of(f.basic_type);
        let order = if f.is_volatile() { Order::Volatile } else { Order::Plain };
        let v = self.value(Op::Load(mem, f.offset, order), vec![object], mem.value_type());
        if mem == Mem::Ref {
            let class = resolve::declared(f.class().loader, f.descriptor.as_bytes());
            self.set_facts(v, RefFacts { class, ..RefFacts::default() });
        }
        self.push(v)
    }

    pub(super) fn put_field(&mut self, index: u16) -> Result<(), Refusal> {
        let Some(f) = resolve::field(self.s().method, index, false, true) else {
            self.unloaded();
            return Ok(());
        };
        let state = self.execute();
        let value = self.pop(Mem::of(f.basic_type).value_type())?;
        let object = self.pop(Type::Ref)?;
        let object = self.null_check(object, state)?;
        self.store_field(f, object, value);
        Ok(())
    }

    fn store_field(&mut self, f: FieldRef, object: Value, value: Value) {
        let value = if f.basic_type == BasicType::Boolean { self.narrow(value, f.basic_type) } else { value };
        let order = if f.is_volatile() { Order::Volatile } else { Order::Plain };
        if f.is_final() && !f.is_static() {
            self.sm().wrote_final = true;
        }
        self.effect(Op::Store(Mem::of(f.basic_type), f.offset, order), vec![object, value]);
    }

    /// The static field at `index` of the pool, if it may be accessed without looking; else the flow has ended.
    fn static_field(&mut self, index: u16, put: bool) -> Option<FieldRef> {
        let method = self.s().method;
        let Some(f) = resolve::field(method, index, true, put) else {
            self.unloaded();
            return None;
        };
        if !resolve::is_usable(f.class(), method) {
            let state = self.execute();
            self.trap(Reason::Uninitialized, Action::Reinterpret, state);
            return None;
        }
        Some(f)
    }

    pub(super) fn get_static(&mut self, index: u16) -> Result<(), Refusal> {
        let Some(f) = self.static_field(index, false) else { return Ok(()) };
        if self.constant_static(f) {
            return Ok(());
        }
        let mirror = self.mirror(f.class());
        self.load_field(f, mirror);
        Ok(())
    }

    pub(super) fn put_static(&mut self, index: u16) -> Result<(), Refusal> {
        let Some(f) = self.static_field(index, true) else { return Ok(()) };
        let value = self.pop(Mem::of(f.basic_type).value_type())?;
        let mirror = self.mirror(f.class());
        self.store_field(f, mirror, value);
        Ok(())
    }

    // ---------------------------------------------------------------- allocation

    pub(super) fn new_instance(&mut self, index: u16) -> Result<(), Refusal> {
        let method = self.s().method;
        let Some(c) = resolve::class(method.class(), index).filter(|&c| is_instantiable(c)) else {
            self.unloaded();
            return Ok(());
        };
        let state = self.execute();
        if !resolve::is_usable(c, method) {
            self.trap(Reason::Uninitialized, Action::Reinterpret, state);
            return Ok(());
        }
        let v = self.value_at(Op::NewInstance(c), vec![], Type::Ref, state);
        self.set_facts(v, RefFacts { class: Some(c), exact: true, non_null: true });
        self.push(v);
        Ok(())
    }

    pub(super) fn new_array(&mut self, class: ClassRef) -> Result<(), Refusal> {
        let state = self.execute();
        let length = self.pop(Type::I32)?;
        let v = self.value_at(Op::NewArray(class), vec![length], Type::Ref, state);
        self.set_facts(v, RefFacts { class: Some(class), exact: true, non_null: true });
        self.push(v);
        Ok(())
    }

    pub(super) fn new_object_array(&mut self, index: u16) -> Result<(), Refusal> {
        match resolve::class(self.s().method.class(), index).and_then(array_class) {
            Some(c) => self.new_array(c),
            None => {
                self.unloaded();
                Ok(())
            }
        }
    }

    pub(super) fn multi_new_array(&mut self, index: u16, dimensions: u8) -> Result<(), Refusal> {
        let Some(class) = resolve::class(self.s().method.class(), index) else {
            self.unloaded();
            return Ok(());
        };
        let mut lengths = Vec::new();
        for _ in 0..dimensions {
            lengths.push(self.pop(Type::I32)?);
        }
        let state = self.after_call();
        let class_value = self.value(Op::Const(i64::from(class.word())), vec![], Type::Ptr);
        lengths.push(class_value);
        lengths.reverse();
        let v = self.value_at(Op::CallRuntime(Runtime::MultiNewArray), lengths, Type::Ref, state);
        self.set_facts(v, RefFacts { class: Some(class), exact: true, non_null: true });
        self.push(v);
        Ok(())
    }

    // ---------------------------------------------------------------- types

    pub(super) fn check_cast(&mut self, index: u16) -> Result<(), Refusal> {
        let top = self.s().frame.stack.last().copied().flatten().ok_or(self.malformed())?;
        if matches!(self.f.def(top).map(|d| &d.op), Some(Op::Null)) {
            // Null passes whatever the class (JVMS 6.5.checkcast).
            return Ok(());
        }
        let Some(c) = resolve::class(self.s().method.class(), index) else {
            // So it passes here without the class having been resolved; everything else is for the interpreter.
            return self.unresolved_type_check(top, None);
        };
        let state = self.execute();
        let v = self.pop(Type::Ref)?;
        self.profile_type(v);
        let checked = self.cast(v, c, state)?;
        self.push(checked);
        Ok(())
    }

    /// `v`, null or an instance of `c`.
    pub(super) fn cast(&mut self, v: Value, c: ClassRef, state: State) -> Result<Value, Refusal> {
        let mut facts = self.facts(v);
        if facts.class.is_some_and(|k| k.is_subclass_of(c)) || Some(c) == Known::Object.try_get() {
            return Ok(v);
        }
        if !facts.exact {
            facts.class = Some(c).filter(|c| !c.is_interface()).or(facts.class);
        }
        if self.too_many_traps(Reason::ClassCheck) {
            let null = self.null();
            let (good, test) = (self.new_block(), self.new_block());
            // A value of its own: what is learnt of it from here on does not hold before.
            let cast = self.f.add_param(good, Type::Ref);
            self.set_facts(cast, facts);
            let is_null = self.value(Op::Compare(Cond::Eq), vec![v, null], Type::I32);
            let (then, other) = (super::Edge::new(good, vec![v]), super::Edge::new(test, vec![]));
            self.end(Terminator::Branch { cond: is_null, then, other, probability: 1 << 12 });
            self.cur = Some(test);
            let ok = self.value(Op::InstanceOf(c), vec![v], Type::I32);
            let fine = self.unlikely(ok);
            let class = self.value(Op::Const(i64::from(c.word())), vec![], Type::Ptr);
            self.runtime_throw(Runtime::ThrowClassCast, vec![v, class], state)?;
            self.cur = Some(fine);
            self.end(Terminator::Jump(super::Edge::new(good, vec![v])));
            self.cur = Some(good);
            self.sm().frame.refine(v, cast);
            return Ok(cast);
        }
        let checked = self.value_at(Op::CheckCast(c), vec![v], Type::Ref, state);
        self.set_facts(checked, facts);
        self.sm().frame.refine(v, checked);
        Ok(checked)
    }

    pub(super) fn instance_of(&mut self, index: u16) -> Result<(), Refusal> {
        let top = self.s().frame.stack.last().copied().flatten().ok_or(self.malformed())?;
        let Some(c) = resolve::class(self.s().method.class(), index) else {
            return self.unresolved_type_check(top, Some(0));
        };
        let v = self.pop(Type::Ref)?;
        self.profile_type(v);
        let facts = self.facts(v);
        let r = match facts.class {
            Some(k) if facts.non_null && k.is_subclass_of(c) => self.iconst(1),
            Some(k) if facts.exact && !k.is_subclass_of(c) => self.iconst(0),
            _ => self.value(Op::InstanceOf(c), vec![v], Type::I32),
        };
        self.push(r);
        Ok(())
    }

    /// `checkcast` or `instanceof` (whose answer for null is given) of an unresolved class: null goes on, all
    /// else is left to the interpreter, which resolves the class.
    fn unresolved_type_check(&mut self, v: Value, answer: Option<i32>) -> Result<(), Refusal> {
        let state = self.execute();
        let null = self.null();
        let ok = self.value(Op::Compare(Cond::Eq), vec![v, null], Type::I32);
        let good = self.unlikely(ok);
        self.trap(Reason::Unloaded, Action::Reinterpret, state);
        self.cur = Some(good);
        self.pop(Type::Ref)?;
        match answer {
            Some(a) => {
                let a = self.iconst(a);
                self.push(a)
            }
            None => {
                let null = self.null();
                self.push(null)
            }
        }
        Ok(())
    }

    /// Records the class of `v` at the current bytecode, if the code counts.
    pub(super) fn profile_type(&mut self, v: Value) {
        let s = self.s();
        let rows = self
            .request
            .counting
            .filter(|c| c.sites)
            .and(s.profile)
            .and_then(|p| p.type_rows(s.bci));
        if let Some(rows) = rows {
            self.effect(Op::ProfileType(rows), vec![v]);
        }
    }

    /// Whether the class of `object` has a finalizer, as an int that is not zero if so.
    pub(super) fn has_finalizer(&mut self, object: Value) -> Value {
        let class = self.value(Op::LoadClass, vec![object], Type::Ptr);
        let offset = crate::meta::class::offsets::FLAGS as i32;
        let flags = self.value(Op::LoadRaw(Mem::I32, offset), vec![class], Type::I32);
        let bit = self.iconst(crate::meta::class::class_flags::HAS_FINALIZER as i32);
        self.value(Op::Binary(Binary::And), vec![flags, bit], Type::I32)
    }
}
