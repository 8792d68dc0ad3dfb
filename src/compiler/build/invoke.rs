//! Method invocations.

use super::super::ir::{Action, Op, Reason, RefFacts, Runtime, State, Target, Terminator, Type, Value};
use super::super::refusal::Refusal;
use super::super::dependencies::Dependency;
use super::hierarchy;
use super::resolve::{self, Callee};
use super::{Builder, Tier};
use crate::meta::class::{class_flags, ClassRef};
use crate::meta::method::{method_flags, MethodKind, MethodRef};

impl Builder<'_> {
    pub(super) fn invoke(&mut self, op: u8, index: u16) -> Result<(), Refusal> {
        let (method, bci) = (self.s().method, self.s().bci);
        let Some(callee) = resolve::callee(method, bci as usize, op, index) else {
            self.unloaded();
            return Ok(());
        };
        let state = self.execute();
        if let Callee::Static(m) = callee {
            if !resolve::is_usable(m.class(), method) {
                self.trap(Reason::Uninitialized, Action::Reinterpret, state);
                return Ok(());
            }
        }
        let appendix = match callee {
            Callee::Linked(_, slot) => slot,
            _ => None,
        };
        let m = callee.method();
        let slots = (m.arg_slots as usize).checked_sub(usize::from(appendix.is_some())).ok_or(self.malformed())?;
        let mut args: Vec<Value> = self.sm().frame.pop_slots(slots, bci)?.into_iter().flatten().collect();
        if let Some(slot) = appendix {
            let v = self.object(slot);
            args.push(v);
        }
        self.check_arguments(m, &args)?;
        if !m.is_static() {
            args[0] = self.null_check(args[0], state)?;
        }
        if let Some(c) = resolve::asked_of_receiver(method, op, index, callee) {
            self.require(args[0], c, state);
        }
        self.profile_call(callee, &args);
        let result = match callee {
            Callee::Static(m) | Callee::Special(m) | Callee::Linked(m, _) => {
                if m.has_flag(method_flags::OBJECT_INIT) {
                    return self.object_init(args[0]);
                }
                if let Some(v) = self.is_compile_constant(m, &args) {
                    self.push(v);
                    return Ok(());
                }
                self.direct(m, args)?
            }
            Callee::Virtual(m) => self.dispatched(m, Target::Virtual(m), args)?,
            Callee::Interface(m) => self.dispatched(m, Target::Interface(m), args)?,
            Callee::MethodHandle(m) => self.call_handle(m, args, state)?,
        };
        if let Some(v) = result {
            self.push(v);
        }
        Ok(())
    }

    /// Leaves the call to the interpreter, which throws, unless its receiver is an instance of `c`.
    fn require(&mut self, receiver: Value, c: ClassRef, state: State) {
        if self.facts(receiver).class.is_some_and(|k| k.is_subclass_of(c)) {
            return;
        }
        let ok = self.value(Op::InstanceOf(c), vec![receiver], Type::I32);
        let good = self.unlikely(ok);
        self.trap(Reason::ClassCheck, Action::None, state);
        self.cur = Some(good);
    }

    /// `MethodHandleImpl.isCompileConstant`: what a compile knows and the interpreter does not.
    fn is_compile_constant(&mut self, m: MethodRef, args: &[Value]) -> Option<Value> {
        let asked = m.class().name == "java/lang/invoke/MethodHandleImpl" && m.name == "isCompileConstant";
        if !asked || self.request.tier != Tier::Optimized {
            return None;
        }
        let known = self.is_constant(*args.first()?);
        Some(self.iconst(i32::from(known)))
    }

    /// Counts and types must be those of the signature.
    fn check_arguments(&self, m: MethodRef, args: &[Value]) -> Result<(), Refusal> {
        let receiver = (!m.is_static()).then_some(Type::Ref);
        let wanted = receiver.into_iter().chain(m.parameters.iter().filter_map(|&p| Type::of(p)));
        if wanted.eq(args.iter().map(|&a| self.f.ty(a))) {
            Ok(())
        } else {
            Err(self.malformed())
        }
    }

    /// A call of a method-handle intrinsic: of what it leads to, if that is known.
    fn call_handle(&mut self, m: MethodRef, args: Vec<Value>, state: State) -> Result<Option<Value>, Refusal> {
        let Some((target, kind)) = self.handle_target(m, &args) else {
            return self.call(Target::MethodHandle(m), args);
        };
        let mut passed = args.clone();
        if m.kind() != MethodKind::InvokeBasic {
            passed.pop();
        }
        let same_result = Type::of(target.return_type) == Type::of(m.return_type);
        if target.is_static() != (kind == MethodKind::LinkToStatic)
            || !same_result
            || self.check_arguments(target, &passed).is_err()
            || !matches!(target.kind(), MethodKind::Java | MethodKind::Native | MethodKind::Abstract)
        {
            return self.call(Target::MethodHandle(m), args);
        }
        if kind != MethodKind::LinkToStatic {
            passed[0] = self.null_check(passed[0], state)?;
        }
        self.sm().tail = args.last().copied().filter(|_| m.kind() != MethodKind::InvokeBasic);
        let result = match kind {
            MethodKind::LinkToVirtual => self.dispatched(target, Target::Virtual(target), passed),
            MethodKind::LinkToInterface if target.class().is_interface() && !target.is_private() => {
                self.dispatched(target, Target::Interface(target), passed)
            }
            MethodKind::LinkToInterface => self.call(Target::MethodHandle(m), args),
            _ => self.direct(target, passed),
        };
        self.sm().tail = None;
        result
    }

    /// Makes the call; its result. The arguments have been popped.
    pub(super) fn call(&mut self, target: Target, args: Vec<Value>) -> Result<Option<Value>, Refusal> {
        let ty = Type::of(target.method().return_type);
        let state = self.after_call();
        let result = self.inst(Op::Call(target), args, ty, Some(state));
        if let (Some(v), Some(Type::Ref)) = (result, ty) {
            let class = resolve::declared_result(target.method());
            self.set_facts(v, RefFacts { class, ..RefFacts::default() });
        }
        self.guard_call()?;
        Ok(result)
    }

    /// Counts the call, or its receiver's class, if the code counts.
    fn profile_call(&mut self, callee: Callee, args: &[Value]) {
        let s = self.s();
        let Some(p) = s.profile.filter(|_| self.request.counting.is_some_and(|c| c.sites)) else { return };
        if let Some(cell) = p.call_cell(s.bci) {
            self.effect(Op::Count(cell), vec![]);
        } else if !callee.method().is_static() {
            self.profile_type(args[0]);
        }
    }

    /// `Object.<init>`: registers the object if its class has a finalizer, and nothing else.
    fn object_init(&mut self, object: Value) -> Result<(), Refusal> {
        let facts = self.facts(object);
        if let Some(c) = facts.class.filter(|c| !c.has_flag(class_flags::HAS_FINALIZER)) {
            if facts.exact || c.is_final() {
                return Ok(());
            }
            if c.super_class.is_some() && hierarchy::is_never_finalized(c) {
                self.dependencies.add(Dependency::NoFinalizableSubclasses(c));
                return Ok(());
            }
        }
        let finalizer = self.has_finalizer(object);
        let (with, without) = (self.new_block(), self.new_block());
        let edge = |b| super::Edge::new(b, vec![]);
        self.end(Terminator::Branch { cond: finalizer, then: edge(with), other: edge(without), probability: 1 << 4 });
        self.cur = Some(with);
        let state: State = self.after_call();
        self.effect_at(Op::CallRuntime(Runtime::RegisterFinalizer), vec![object], state);
        self.guard_call()?;
        self.jump(without);
        self.cur = Some(without);
        Ok(())
    }
}
