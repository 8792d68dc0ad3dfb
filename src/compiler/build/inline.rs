//! Which method a call reaches, and its translation in place.

use super::super::dependencies::Dependency;
use super::super::inlining::{self, Decision, Site, Why, WhyNot};
use super::super::ir::{Action, Cond, Edge, Op, Reason, RefFacts, Target, Terminator, Type, Value};
use super::super::refusal::Refusal;
use super::meet::Meeting;
use super::{hierarchy, Builder, Tier};
use crate::meta::class::ClassRef;
use crate::meta::method::{method_flags, MethodRef};

/// A receiver class seen in this share of the calls is tested for, although others occur (HotSpot's
/// TypeProfileMajorReceiverPercent).
const MAJOR_PERCENT: u64 = 90;
/// A profile with fewer invocations says nothing about calls that it has not seen.
const MATURE: u32 = 200;

impl Builder<'_> {
    /// A call of `m` itself; its result. Leaves no current block if it never returns.
    pub(super) fn direct(&mut self, m: MethodRef, args: Vec<Value>) -> Result<Option<Value>, Refusal> {
        let count = self.s().profile.and_then(|p| p.call_count(self.s().bci));
        self.call_or_inline(m, args, count)
    }

    /// A call of `m` that the receiver's class selects the method of.
    pub(super) fn dispatched(
        &mut self,
        m: MethodRef,
        target: Target,
        mut args: Vec<Value>,
    ) -> Result<Option<Value>, Refusal> {
        let facts = self.facts(args[0]);
        let interface = m.class().is_interface();
        let bound = facts.class.filter(|c| c.is_subclass_of(m.class()));
        if let Some(c) = bound.filter(|c| facts.exact || c.is_final()) {
            if let Some(t) = hierarchy::select(c, m) {
                return self.direct(t, args);
            }
        }
        if self.request.tier != Tier::Optimized {
            return self.call(target, args);
        }
        let class = bound.or((!interface).then_some(m.class()));
        if let Some(t) = self.unique(class, m, &mut args)? {
            return self.direct(t, args);
        }
        if let Some(result) = self.by_profile(m, target, &args)? {
            return Ok(result);
        }
        self.note(m, Err(WhyNot::Virtual));
        self.call(target, args)
    }

    /// The only method that the class hierarchy has for the call; noted as a dependency. `class` bounds the
    /// receiver; without one it is known to be an object only, and is checked.
    fn unique(&mut self, class: Option<ClassRef>, m: MethodRef, args: &mut [Value]) -> Result<Option<MethodRef>, Refusal> {
        let root = class.unwrap_or(m.class());
        let Some(target) = hierarchy::unique_target(root, m) else { return Ok(None) };
        if class.is_none() {
            // Interfaces are not verified: the receiver may be anything. The implementor's class tells, quickly.
            if target.class().is_interface() || self.too_many_traps(Reason::ClassCheck) {
                return Ok(None);
            }
            let facts = self.facts(args[0]);
            // Where the call stands, before its arguments were popped.
            let state = self.before_call(args);
            let checked = self.value_at(Op::CheckCast(target.class()), vec![args[0]], Type::Ref, state);
            self.set_facts(checked, RefFacts { class: Some(target.class()), exact: false, ..facts });
            args[0] = checked;
        }
        // A final method is the only one where it is inherited; beside the class that has it there may be others.
        let settled = root.is_final() || target.is_final() && root.is_subclass_of(target.class());
        if !settled || class.is_none() {
            self.dependencies.add(Dependency::UniqueConcreteMethod { class: root, resolved: m, target });
        }
        Ok(Some(target))
    }

    /// The state before the current bytecode, a call with these arguments.
    pub(super) fn before_call(&mut self, args: &[Value]) -> super::State {
        let depth = self.s().frame.stack.len();
        for a in args.iter().copied().chain(self.s().tail) {
            self.push(a);
        }
        let state = self.execute();
        self.sm().frame.stack.truncate(depth);
        state
    }

    /// A call whose receivers the profile knows: tests for their classes. `None` if it tells nothing.
    fn by_profile(&mut self, m: MethodRef, target: Target, args: &[Value]) -> Result<Option<Option<Value>>, Refusal> {
        let Some(types) = self.s().profile.and_then(|p| p.types(self.s().bci)) else { return Ok(None) };
        let rows: Vec<(ClassRef, MethodRef, u32)> = types
            .rows
            .iter()
            .filter_map(|&(c, n)| hierarchy::select(c, m).map(|t| (c, t, n)))
            .collect();
        if rows.len() != types.rows.len() {
            return Ok(None);
        }
        let total = rows.iter().map(|r| u64::from(r.2)).sum::<u64>() + u64::from(types.other);
        match rows[..] {
            [(c, t, n)] if types.other == 0 => {
                if self.too_many_traps(Reason::ClassCheck) {
                    return self.tested(c, t, n, target, args, 9, 10).map(Some);
                }
                let args = self.exact_receiver(c, args, Reason::ClassCheck);
                self.call_or_inline(t, args, Some(n)).map(Some)
            }
            [(c1, t1, n1), (c2, t2, n2)] if types.other == 0 => {
                let trap = !self.too_many_traps(Reason::Bimorphic);
                if std::ptr::eq(t1, t2) && t1.class().is_interface() {
                    return Ok(None);
                }
                self.bimorphic([(c1, t1, n1), (c2, t2, n2)], trap, target, args).map(Some)
            }
            [(c, t, n), ..] if u64::from(n) * 100 >= MAJOR_PERCENT * total => {
                self.tested(c, t, n, target, args, u64::from(n), total).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Deoptimizes unless the receiver's class is exactly `c`; the arguments, the receiver refined.
    fn exact_receiver(&mut self, c: ClassRef, args: &[Value], reason: Reason) -> Vec<Value> {
        let state = self.before_call(args);
        let op = Op::ExactClass(c, reason, Action::MaybeRecompile);
        let receiver = self.value_at(op, vec![args[0]], Type::Ref, state);
        self.set_facts(receiver, RefFacts { class: Some(c), exact: true, non_null: true });
        let mut args = args.to_vec();
        args[0] = receiver;
        args
    }

    /// Branches on the receiver's class: to the call of `t` if it is `c`, the current block if not. The block for
    /// `c`, and the receiver in it.
    fn test_class(&mut self, c: ClassRef, receiver: Value, likely: u64, total: u64) -> super::Block {
        let class = self.value(Op::LoadClass, vec![receiver], Type::Ptr);
        let wanted = self.value(Op::Const(i64::from(c.word())), vec![], Type::Ptr);
        let is = self.value(Op::Compare(Cond::Eq), vec![class, wanted], Type::I32);
        let (yes, no) = (self.new_block(), self.new_block());
        let probability = ((likely << 16) / total.max(1)).clamp(1, (1 << 16) - 1) as u16;
        self.end(Terminator::Branch {
            cond: is,
            then: Edge::new(yes, vec![]),
            other: Edge::new(no, vec![]),
            probability,
        });
        self.cur = Some(no);
        yes
    }

    /// `t` if the receiver is exactly of class `c`, else the call dispatched.
    #[allow(clippy::too_many_arguments)]
    fn tested(
        &mut self,
        c: ClassRef,
        t: MethodRef,
        count: u32,
        target: Target,
        args: &[Value],
        likely: u64,
        total: u64,
    ) -> Result<Option<Value>, Refusal> {
        let yes = self.test_class(c, args[0], likely, total);
        let no = self.cur.replace(yes);
        let mut join = Join::new(self, target.method());
        let known = self.known_receiver(c, args);
        let result = self.call_or_inline(t, known, Some(count))?;
        join.arrive(self, result);
        self.cur = no;
        let result = self.call(target, args.to_vec())?;
        join.arrive(self, result);
        Ok(join.go_on(self))
    }

    fn bimorphic(
        &mut self,
        rows: [(ClassRef, MethodRef, u32); 2],
        trap: bool,
        target: Target,
        args: &[Value],
    ) -> Result<Option<Value>, Refusal> {
        let [(c1, t1, n1), (c2, t2, n2)] = rows;
        let total = u64::from(n1) + u64::from(n2);
        let yes = self.test_class(c1, args[0], u64::from(n1), total);
        let mut join = Join::new(self, target.method());
        let no = self.cur.replace(yes);
        let known = self.known_receiver(c1, args);
        let result = self.call_or_inline(t1, known, Some(n1))?;
        join.arrive(self, result);
        self.cur = no;
        let result = if trap {
            let known = self.exact_receiver(c2, args, Reason::Bimorphic);
            self.call_or_inline(t2, known, Some(n2))?
        } else {
            self.tested(c2, t2, n2, target, args, u64::from(n2), total)?
        };
        join.arrive(self, result);
        Ok(join.go_on(self))
    }

    /// The arguments where a test has shown that the receiver's class is `c`.
    fn known_receiver(&mut self, c: ClassRef, args: &[Value]) -> Vec<Value> {
        // The value is the same; what is known of it holds here only. A select that cannot be taken
        // apart would cost; a cast of something to its own class costs nothing after the passes.
        let state = self.before_call(args);
        let op = Op::ExactClass(c, Reason::ClassCheck, Action::None);
        let receiver = self.value_at(op, vec![args[0]], Type::Ref, state);
        self.set_facts(receiver, RefFacts { class: Some(c), exact: true, non_null: true });
        let mut args = args.to_vec();
        args[0] = receiver;
        args
    }

    /// Calls `m`, or translates it here. `count`: how often the profile has seen that.
    fn call_or_inline(&mut self, m: MethodRef, args: Vec<Value>, count: Option<u32>) -> Result<Option<Value>, Refusal> {
        if let Some(result) = self.intrinsic(m, &args)? {
            self.note(m, Ok(Why::Intrinsic));
            return Ok(result);
        }
        let verdict = self.decide(m, count);
        let refused = verdict.is_err();
        self.note(m, verdict);
        if refused {
            return self.call(Target::Direct(m), args);
        }
        self.inline(m, args)
    }

    fn decide(&self, m: MethodRef, count: Option<u32>) -> Result<Why, WhyNot> {
        let Some(limits) = &self.request.inlining else { return Err(WhyNot::Command) };
        if self.banned.iter().any(|b| std::ptr::eq(*b, m)) || m.has_flag(method_flags::NOT_COMPILABLE) {
            return Err(WhyNot::NotCompilable);
        }
        let invocations = self.s().profile.map_or(0, |p| p.invocations().saturating_add(p.backedges()));
        let site = Site {
            level: self.scopes.len(),
            // Lambda forms are shared by handles of the same shape: not recursion.
            recursion: match m.has_flag(method_flags::FORCE_INLINE) && m.has_flag(method_flags::HIDDEN) {
                true => 0,
                false => self.scopes.iter().filter(|s| std::ptr::eq(s.method, m)).count(),
            },
            counts: count.filter(|_| invocations >= MATURE).map(|c| {
                (c, self.s().profile.map_or(0, |p| p.invocations()))
            }),
            inlined_size: self.bytecodes,
            compiled_size: (self.request.code_size)(m),
            nodes: self.nodes(),
        };
        inlining::decide(m, self.scopes[0].method, &site, limits, (self.request.ordered)(m))
    }

    fn note(&mut self, callee: MethodRef, verdict: Result<Why, WhyNot>) {
        let (depth, bci) = (self.scopes.len(), self.s().bci);
        self.decisions.push(Decision { depth, bci, callee, verdict });
    }

    fn inline(&mut self, m: MethodRef, args: Vec<Value>) -> Result<Option<Value>, Refusal> {
        let caller = self.after_call();
        let mut scope = match self.scope(m, Some(caller)) {
            Ok(s) => s,
            Err(_) => {
                // Its code is not of the kind that is compiled: a call will do.
                if let Some(d) = self.decisions.last_mut() {
                    d.verdict = Err(WhyNot::NotCompilable);
                }
                return self.call(Target::Direct(m), args);
            }
        };
        scope.exit = Some(Meeting::new(&mut self.f, Type::of(m.return_type)));
        self.bytecodes += m.code.len();
        self.scopes.push(scope);
        self.enter_method(&args)?;
        self.translate()?;
        let exit = self.scopes.pop().and_then(|s| s.exit).filter(Meeting::is_reached);
        self.cur = exit.as_ref().map(|e| e.block);
        Ok(exit.and_then(|e| e.value(&mut self.f)))
    }
}

/// Where the ways of a call that has been split meet again.
struct Join {
    meeting: Meeting,
    /// The caller's frame, which checks on one way must not refine for the other.
    frame: super::frame::Frame,
}

impl Join {
    fn new(b: &mut Builder<'_>, m: MethodRef) -> Join {
        Join { meeting: Meeting::new(&mut b.f, Type::of(m.return_type)), frame: b.s().frame.clone() }
    }

    /// The current block, if there is one, goes on to the join.
    fn arrive(&mut self, b: &mut Builder<'_>, result: Option<Value>) {
        if let Some(cur) = b.cur.take() {
            self.meeting.arrive(&mut b.f, cur, result);
        }
        b.sm().frame = self.frame.clone();
    }

    fn go_on(self, b: &mut Builder<'_>) -> Option<Value> {
        b.sm().frame = self.frame;
        b.cur = self.meeting.is_reached().then_some(self.meeting.block);
        self.meeting.value(&mut b.f)
    }
}
