//! The walk over a method's blocks, and the instructions that move values and control.

use super::super::ir::{Action, Block, Cond, Edge, Op, Reason, Resume, Runtime, State, Terminator, Type, Value};
use super::super::refusal::Refusal;
use super::bytecode::LocalUse;
use super::{resolve, Builder, Tier};
use crate::classfile::Constant;
use crate::heap::layout::BasicType;
use crate::meta::method::method_flags;

/// Fewer executions of a branch than this say nothing about it (HotSpot's limit).
const MIN_BRANCH_COUNT: u32 = 40;
/// A profile with fewer invocations and back-edges says nothing about what it does not mention.
const MATURE: u32 = 200;

impl Builder<'_> {
    /// Translates the reachable blocks of the innermost scope, which has been entered.
    pub(super) fn translate(&mut self) -> Result<(), Refusal> {
        for i in 0..self.s().flow.order.len() {
            let b = self.s().flow.order[i];
            let Some(block) = self.begin(b) else { continue };
            self.cur = Some(block);
            self.block(b)?;
            self.check_size()?;
        }
        Ok(())
    }

    fn block(&mut self, b: usize) -> Result<(), Refusal> {
        let end = self.s().flow.blocks[b].end as usize;
        let mut bci = self.s().flow.blocks[b].start as usize;
        while bci < end {
            self.sm().bci = bci as u16;
            let next = bci + self.s().code.length(bci)?;
            self.instruction(bci)?;
            if self.cur.is_none() {
                return Ok(());
            }
            bci = next;
        }
        if bci >= self.s().code.len() {
            return Err(Refusal::Malformed(self.s().bci));
        }
        let edge = self.edge_to(b + 1)?;
        self.end(Terminator::Jump(edge));
        Ok(())
    }

    pub(super) fn push(&mut self, v: Value) {
        let f = &self.f;
        self.scopes.last_mut().expect("a method is being translated").frame.push(f, v);
    }

    /// Pops a value of type `ty`.
    pub(super) fn pop(&mut self, ty: Type) -> Result<Value, Refusal> {
        let bci = self.s().bci;
        let v = if ty.is_two_slots() { self.sm().frame.pop2(bci)? } else { self.sm().frame.pop1(bci)? };
        if self.f.ty(v) != ty {
            return Err(Refusal::Malformed(bci));
        }
        Ok(v)
    }

    fn instruction(&mut self, bci: usize) -> Result<(), Refusal> {
        let code = self.s().code;
        match code.op(bci) {
            0x00 => {}
            0x01 => {
                let v = self.null();
                self.push(v)
            }
            op @ 0x02..=0x08 => self.push_int(i32::from(op) - 3),
            op @ 0x09..=0x0a => self.push_long(i64::from(op) - 9),
            op @ 0x0b..=0x0d => self.push_float(f32::from(op - 0x0b).to_bits()),
            op @ 0x0e..=0x0f => self.push_double(f64::from(op - 0x0e).to_bits()),
            0x10 => self.push_int(i32::from(code.u8(bci + 1) as i8)),
            0x11 => self.push_int(code.i16(bci + 1)),
            0x12 => self.ldc(u16::from(code.u8(bci + 1)))?,
            0x13 | 0x14 => self.ldc(code.u16(bci + 1))?,
            0x15..=0x2d | 0x36..=0x4e => self.local(bci)?,
            0xc4 => match code.local(bci) {
                LocalUse::Both(i) => self.increment(i, code.i16(bci + 4))?,
                _ => self.local(bci)?,
            },
            0x84 => self.increment(u16::from(code.u8(bci + 1)), i32::from(code.u8(bci + 2) as i8))?,
            op @ (0x2e..=0x35 | 0x4f..=0x56) => self.array_access(op)?,
            op @ 0x57..=0x5f => self.shuffle(op)?,
            op @ 0x60..=0x83 => self.arithmetic(op)?,
            op @ 0x85..=0x98 => self.conversion(op)?,
            op @ (0x99..=0xa6 | 0xc6 | 0xc7) => self.conditional(op, bci)?,
            0xa7 | 0xc8 => {
                let target = code.targets(bci)?[0];
                let edge = self.branch_edge(target, None)?;
                self.end(Terminator::Jump(edge))
            }
            0xaa | 0xab => self.switch(bci)?,
            op @ 0xac..=0xb1 => self.method_return(op)?,
            0xb2 => self.get_static(code.u16(bci + 1))?,
            0xb3 => self.put_static(code.u16(bci + 1))?,
            0xb4 => self.get_field(code.u16(bci + 1))?,
            0xb5 => self.put_field(code.u16(bci + 1))?,
            op @ 0xb6..=0xba => self.invoke(op, code.u16(bci + 1))?,
            0xbb => self.new_instance(code.u16(bci + 1))?,
            0xbc => {
                let t = BasicType::from_code(code.u8(bci + 1)).ok_or(self.malformed())?;
                self.new_array(crate::link::load::primitive_array_class(t))?
            }
            0xbd => self.new_object_array(code.u16(bci + 1))?,
            0xbe => {
                let state = self.execute();
                let array = self.pop(Type::Ref)?;
                let array = self.null_check(array, state)?;
                let n = self.array_length(array);
                self.push(n)
            }
            0xbf => {
                let state = self.execute();
                let exception = self.pop(Type::Ref)?;
                let exception = self.null_check(exception, state)?;
                self.throw(exception, state)?
            }
            0xc0 => self.check_cast(code.u16(bci + 1))?,
            0xc1 => self.instance_of(code.u16(bci + 1))?,
            0xc2 => self.monitor_enter()?,
            0xc3 => self.monitor_exit()?,
            0xc5 => self.multi_new_array(code.u16(bci + 1), code.u8(bci + 3))?,
            0xa8 | 0xa9 | 0xc9 => return Err(Refusal::Subroutine(bci as u16)),
            0xca..=0xff => return Err(Refusal::Malformed(bci as u16)),
        }
        Ok(())
    }

    // ---------------------------------------------------------------- constants, locals, the stack

    fn push_int(&mut self, v: i32) {
        let v = self.iconst(v);
        self.push(v)
    }

    fn push_long(&mut self, v: i64) {
        let v = self.value(Op::Const(v), vec![], Type::I64);
        self.push(v)
    }

    fn push_float(&mut self, bits: u32) {
        let v = self.value(Op::FConst(u64::from(bits)), vec![], Type::F32);
        self.push(v)
    }

    fn push_double(&mut self, bits: u64) {
        let v = self.value(Op::FConst(bits), vec![], Type::F64);
        self.push(v)
    }

    fn ldc(&mut self, index: u16) -> Result<(), Refusal> {
        let holder = self.s().method.class();
        let pool = holder.constants.file();
        match pool.get(index) {
            Constant::Integer(v) => return Ok(self.push_int(v)),
            Constant::Float(bits) => return Ok(self.push_float(bits)),
            Constant::Long(v) => return Ok(self.push_long(v)),
            Constant::Double(bits) => return Ok(self.push_double(bits)),
            Constant::Class { .. } => {
                match resolve::class(holder, index) {
                    Some(c) => {
                        let v = self.mirror(c);
                        self.push(v)
                    }
                    None => self.unloaded(),
                }
                return Ok(());
            }
            Constant::String { .. } => {
                super::memory::string_constant(holder, index);
            }
            Constant::MethodType { .. } | Constant::MethodHandle { .. } => {}
            Constant::Dynamic { name_and_type, .. } => return self.ldc_dynamic(index, name_and_type),
            _ => return Err(self.malformed()),
        }
        match holder.constants.slot(index) {
            Some(slot) => {
                let v = self.object(slot);
                self.push(v)
            }
            None => self.unloaded(),
        }
        Ok(())
    }

    fn ldc_dynamic(&mut self, index: u16, name_and_type: u16) -> Result<(), Refusal> {
        let holder = self.s().method.class();
        let (_, descriptor) = holder.constants.name_and_type(name_and_type);
        let ty = BasicType::from_descriptor(descriptor.as_bytes()[0]).ok_or(self.malformed())?;
        let Some(slot) = holder.constants.slot(index) else {
            self.unloaded();
            return Ok(());
        };
        let bits = super::memory::in_vm(|| {
            let object = slot.get();
            if ty.is_reference() || object.is_null() {
                return u64::from(!object.is_null());
            }
            crate::interpreter::quicken::unbox(object, ty)
        });
        match ty {
            BasicType::Object | BasicType::Array if bits == 0 => {
                let v = self.null();
                self.push(v)
            }
            BasicType::Object | BasicType::Array => {
                let v = self.object(slot);
                self.push(v)
            }
            BasicType::Float => self.push_float(bits as u32),
            BasicType::Double => self.push_double(bits),
            BasicType::Long => self.push_long(bits as i64),
            _ => self.push_int(bits as i32),
        }
        Ok(())
    }

    /// Ends the flow at a bytecode whose symbolic reference is not resolved: the interpreter does that, and
    /// the code is made anew.
    pub(super) fn unloaded(&mut self) {
        let state = self.execute();
        self.trap(Reason::Unloaded, Action::Reinterpret, state)
    }

    fn local(&mut self, bci: usize) -> Result<(), Refusal> {
        match self.s().code.local(bci) {
            LocalUse::Read(i, ty) => {
                let v = self.s().frame.locals.get(i as usize).copied().flatten().ok_or(self.malformed())?;
                if self.f.ty(v) != ty {
                    return Err(self.malformed());
                }
                self.push(v)
            }
            LocalUse::Write(i, ty) => {
                let v = self.pop(ty)?;
                self.set_local(i, v)?
            }
            LocalUse::Both(_) | LocalUse::None => return Err(self.malformed()),
        }
        Ok(())
    }

    fn set_local(&mut self, i: u16, v: Value) -> Result<(), Refusal> {
        let f = &self.f;
        let s = self.scopes.last_mut().expect("a method is being translated");
        s.frame.set_local(f, i as usize, v, s.bci)
    }

    fn increment(&mut self, i: u16, by: i32) -> Result<(), Refusal> {
        let v = self.s().frame.locals.get(i as usize).copied().flatten().ok_or(self.malformed())?;
        if self.f.ty(v) != Type::I32 {
            return Err(self.malformed());
        }
        let by = self.iconst(by);
        let sum = self.value(Op::Binary(super::super::ir::Binary::Add), vec![v, by], Type::I32);
        self.set_local(i, sum)
    }

    /// pop, dup and swap forms, slot by slot.
    fn shuffle(&mut self, op: u8) -> Result<(), Refusal> {
        // What the top slots are replaced by, counted from the lowest of those taken.
        let (take, put): (usize, &[usize]) = match op {
            0x57 => (1, &[]),
            0x58 => (2, &[]),
            0x59 => (1, &[0, 0]),
            0x5a => (2, &[1, 0, 1]),
            0x5b => (3, &[2, 0, 1, 2]),
            0x5c => (2, &[0, 1, 0, 1]),
            0x5d => (3, &[1, 2, 0, 1, 2]),
            0x5e => (4, &[2, 3, 0, 1, 2, 3]),
            _ => (2, &[1, 0]),
        };
        let bci = self.s().bci;
        let frame = &mut self.sm().frame;
        let slots = frame.pop_slots(take, bci)?;
        frame.stack.extend(put.iter().map(|&i| slots[i]));
        Ok(())
    }

    // ---------------------------------------------------------------- branches

    fn conditional(&mut self, op: u8, bci: usize) -> Result<(), Refusal> {
        const INT: [Cond; 6] = [Cond::Eq, Cond::Ne, Cond::Lt, Cond::Ge, Cond::Gt, Cond::Le];
        let before = self.s().frame.clone();
        let (cond, ty, two) = match op {
            0x99..=0x9e => (INT[op as usize - 0x99], Type::I32, false),
            0x9f..=0xa4 => (INT[op as usize - 0x9f], Type::I32, true),
            0xa5 => (Cond::Eq, Type::Ref, true),
            0xa6 => (Cond::Ne, Type::Ref, true),
            0xc6 => (Cond::Eq, Type::Ref, false),
            _ => (Cond::Ne, Type::Ref, false),
        };
        let b = if two {
            self.pop(ty)?
        } else if ty == Type::Ref {
            self.null()
        } else {
            self.iconst(0)
        };
        let a = self.pop(ty)?;
        let target = self.s().code.targets(bci)?[0];
        let next = (bci + self.s().code.length(bci)?) as u16;
        if target == next && self.request.counting.is_none() {
            return Ok(());
        }
        let c = self.compare(cond, a, b);
        let (yes, no) = (self.branch_cell(true), self.branch_cell(false));
        if let Some(known) = self.f.as_const(c) {
            let (to, cell) = if known != 0 { (target, yes) } else { (next, no) };
            let edge = self.branch_edge(to, cell)?;
            self.end(Terminator::Jump(edge));
            return Ok(());
        }
        let (taken, not_taken) = self.branch_counts();
        let prune = self.unlikely_sides(taken, not_taken);
        // Where a reference has been found not to be null.
        let found = (op >= 0xc6 && self.request.tier == Tier::Optimized && !self.facts(a).non_null).then_some(op == 0xc7);
        let side = |b: &mut Self, taken: bool, to: u16, trap: Option<Reason>, cell: Option<u32>| match trap {
            Some(reason) => Ok(b.trap_edge(reason, &before)),
            None if found == Some(taken) && b.s().frame.holds(a) => b.non_null_edge(a, &before, to, cell),
            None => b.branch_edge(to, cell),
        };
        if let (Some(reason), Some(_)) = prune {
            let frame = std::mem::replace(&mut self.sm().frame, before.clone());
            let state = self.execute();
            self.sm().frame = frame;
            self.trap(reason, Action::Reinterpret, state);
            return Ok(());
        }
        let block = self.cur.take();
        let then = side(self, true, target, prune.0, yes)?;
        let other = side(self, false, next, prune.1, no)?;
        self.cur = block;
        let total = u64::from(taken) + u64::from(not_taken);
        let probability = if total >= u64::from(MIN_BRANCH_COUNT) {
            ((u64::from(taken) << 16) / total).clamp(1, (1 << 16) - 1) as u16
        } else if target as usize <= bci {
            // A loop's back-edge.
            58_982
        } else {
            1 << 15
        };
        self.end(Terminator::Branch { cond: c, then, other, probability });
        Ok(())
    }

    /// Compares; known objects by what they are.
    fn compare(&mut self, cond: Cond, a: Value, b: Value) -> Value {
        match self.same_object(a, b) {
            Some(same) => self.iconst(i32::from(same == (cond == Cond::Eq))),
            None => self.value(Op::Compare(cond), vec![a, b], Type::I32),
        }
    }

    fn branch_counts(&self) -> (u32, u32) {
        let s = self.s();
        s.profile.and_then(|p| p.branch_counts(s.bci)).unwrap_or((0, 0))
    }

    /// Cell that counts the branch at the current bytecode, if the code counts.
    fn branch_cell(&self, taken: bool) -> Option<u32> {
        self.request.counting.filter(|c| c.sites)?;
        let s = self.s();
        s.profile.and_then(|p| p.branch_cell(s.bci, taken))
    }

    /// For the taken and the other side of a branch: why it is left out, if it is.
    fn unlikely_sides(&self, taken: u32, not_taken: u32) -> (Option<Reason>, Option<Reason>) {
        if self.request.tier != Tier::Optimized {
            return (None, None);
        }
        if taken == 0 && not_taken == 0 {
            let mature = self.s().profile.is_some_and(|p| p.invocations().saturating_add(p.backedges()) >= MATURE);
            let r = (mature && !self.too_many_traps(Reason::Unreached)).then_some(Reason::Unreached);
            return (r, r);
        }
        if taken.saturating_add(not_taken) < MIN_BRANCH_COUNT || self.too_many_traps(Reason::UnstableIf) {
            return (None, None);
        }
        let never = |n: u32| (n == 0).then_some(Reason::UnstableIf);
        (never(taken), never(not_taken))
    }

    /// A block that leaves for the interpreter at the current bytecode, with the frame it had before it.
    fn trap_edge(&mut self, reason: Reason, before: &super::frame::Frame) -> Edge {
        let block = self.start();
        let frame = std::mem::replace(&mut self.sm().frame, before.clone());
        let state = self.execute();
        self.sm().frame = frame;
        self.trap(reason, Action::Reinterpret, state);
        Edge::new(block, vec![])
    }

    /// An edge to the bytecode at `target` on which `v` is known not to be null: by a check that the passes find to
    /// be superfluous. `before`: the frame before the branch.
    fn non_null_edge(
        &mut self,
        v: Value,
        before: &super::frame::Frame,
        target: u16,
        cell: Option<u32>,
    ) -> Result<Edge, Refusal> {
        let block = self.start();
        let after = std::mem::replace(&mut self.sm().frame, before.clone());
        let state = self.execute();
        self.sm().frame = after.clone();
        let mut facts = self.facts(v);
        facts.non_null = true;
        let checked = self.value_at(Op::NullCheck, vec![v], Type::Ref, state);
        self.set_facts(checked, facts);
        self.sm().frame.refine(v, checked);
        let edge = self.branch_edge(target, cell)?;
        self.end(Terminator::Jump(edge));
        self.sm().frame = after;
        Ok(Edge::new(block, vec![]))
    }

    /// An edge to the bytecode at `target`; through a block of its own if it is counted in `cell`, or polls
    /// because it goes backwards. Leaves no current block if it made one.
    pub(super) fn branch_edge(&mut self, target: u16, cell: Option<u32>) -> Result<Edge, Refusal> {
        let to = self.s().flow.at(target);
        let backward = target <= self.s().bci;
        if !backward && cell.is_none() {
            return self.edge_to(to);
        }
        let from = self.cur;
        let block = self.start();
        if let Some(cell) = cell {
            self.effect(Op::Count(cell), vec![]);
        }
        if backward {
            self.back_edge(target, to);
        }
        let edge = self.edge_to(to)?;
        self.end(Terminator::Jump(edge));
        self.cur = from;
        Ok(Edge::new(block, vec![]))
    }

    fn back_edge(&mut self, target: u16, to: usize) {
        let live = self.s().live_at_start(to).clone();
        let state = self.state(target, Resume::Execute, &live);
        if let Some(c) = self.request.counting {
            let s = self.s();
            if let Some(cell) = s.profile.map(|p| p.backedge_cell()) {
                let method = s.method;
                let op = Op::CountAndNotify { cell, mask: c.backedge_mask, method, bci: i32::from(target) };
                self.effect_at(op, vec![], state);
            }
        }
        self.effect_at(Op::Safepoint, vec![], state);
    }

    fn switch(&mut self, bci: usize) -> Result<(), Refusal> {
        let mut switch = self.s().code.switch(bci)?;
        let key = self.pop(Type::I32)?;
        let sites = self.request.counting.is_some_and(|c| c.sites);
        let profile = self.s().profile;
        let here = bci as u16;
        let cell = |i: usize| profile.filter(|_| sites).and_then(|p| p.switch_cell(here, i as u32));
        let n = switch.cases.len();
        if let Some(known) = self.f.as_const(key) {
            let i = switch.cases.iter().position(|c| i64::from(c.0) == known);
            let (target, cell) = match i {
                Some(i) => (switch.cases[i].1, cell(i)),
                None => (switch.default, cell(n)),
            };
            let edge = self.branch_edge(target, cell)?;
            self.end(Terminator::Jump(edge));
            return Ok(());
        }
        let from = self.cur.take();
        let mut cases = Vec::with_capacity(n);
        for (i, (k, target)) in switch.cases.drain(..).enumerate() {
            if !sites && target == switch.default {
                continue;
            }
            cases.push((k, self.branch_edge(target, cell(i))?));
        }
        let default = self.branch_edge(switch.default, cell(n))?;
        self.cur = from;
        if cases.windows(2).any(|w| w[0].0 >= w[1].0) {
            return Err(self.malformed());
        }
        let term = if cases.is_empty() { Terminator::Jump(default) } else { Terminator::Switch { key, cases, default } };
        self.end(term);
        Ok(())
    }

    // ---------------------------------------------------------------- returns, monitors

    fn method_return(&mut self, op: u8) -> Result<(), Refusal> {
        let here = self.s().bci;
        let inlined = self.s().caller.is_some();
        let method = self.s().method;
        let ty = Type::of(method.return_type);
        let wanted = match op {
            0xac => Some(Type::I32),
            0xad => Some(Type::I64),
            0xae => Some(Type::F32),
            0xaf => Some(Type::F64),
            0xb0 => Some(Type::Ref),
            _ => None,
        };
        if ty != wanted {
            return Err(Refusal::Malformed(here));
        }
        let poll = if inlined { None } else { Some(self.execute()) };
        let result = match ty {
            Some(ty) => {
                let v = self.pop(ty)?;
                Some(self.narrow(v, method.return_type))
            }
            None => None,
        };
        let expected = usize::from(self.s().sync.is_some());
        if self.s().frame.monitors.len() != expected {
            return Err(Refusal::UnstructuredLocking(here));
        }
        if method.has_flag(method_flags::OBJECT_INIT) {
            return Err(Refusal::ObjectInit);
        }
        if self.s().wrote_final && method.is_constructor() {
            // On entry local 0 is the object, but for an on-stack replacement.
            let replaced = self.request.osr_bci.is_some() && self.scopes.len() == 1;
            let object = self.s().initial.first().copied().flatten().filter(|_| !replaced);
            self.effect(Op::Fence(super::super::ir::Fence::StoreStore), object.into_iter().collect());
        }
        if let Some(state) = poll {
            self.effect_at(Op::Safepoint, vec![], state);
        }
        if let Some(own) = self.s().sync {
            let locked = self.s().frame.monitors[0];
            if self.request.osr_bci.is_none() {
                self.equal.push((own, locked, here, method));
            }
            // Never stops: the state is for whoever walks the stack.
            let state = match poll {
                Some(s) => s,
                None => self.execute(),
            };
            self.effect_at(Op::CallRuntime(Runtime::MonitorExit), vec![locked], state);
        }
        if !inlined {
            self.end(Terminator::Return(result));
            return Ok(());
        }
        let from = self.cur.take().ok_or(self.malformed())?;
        let f = &mut self.f;
        if let Some(exit) = self.scopes.last_mut().and_then(|s| s.exit.as_mut()) {
            exit.arrive(f, from, result);
        }
        Ok(())
    }

    fn monitor_enter(&mut self) -> Result<(), Refusal> {
        let state = self.execute();
        let object = self.pop(Type::Ref)?;
        let object = self.null_check(object, state)?;
        self.sm().frame.monitors.push(object);
        let state = self.after_call();
        self.effect_at(Op::CallRuntime(Runtime::MonitorEnter), vec![object], state);
        Ok(())
    }

    fn monitor_exit(&mut self) -> Result<(), Refusal> {
        let here = self.s().bci;
        let state = self.execute();
        let object = self.pop(Type::Ref)?;
        let own = usize::from(self.s().sync.is_some());
        if self.s().frame.monitors.len() <= own {
            return Err(Refusal::UnstructuredLocking(here));
        }
        let Some(locked) = self.sm().frame.monitors.pop() else {
            return Err(Refusal::UnstructuredLocking(here));
        };
        if self.request.osr_bci.is_some() && object != locked {
            // What was locked before the entry can only be compared now.
            let same = self.value(Op::Compare(Cond::Eq), vec![object, locked], Type::I32);
            self.effect_at(Op::Guard(Reason::Unhandled, Action::None), vec![same], state);
        } else {
            let method = self.s().method;
            self.equal.push((object, locked, here, method));
        }
        self.effect_at(Op::CallRuntime(Runtime::MonitorExit), vec![locked], state);
        Ok(())
    }

    /// A block of the function, for those that end the current one themselves.
    pub(super) fn new_block(&mut self) -> Block {
        self.f.new_block()
    }

    /// Ends the current block by going to a new one if `ok` is not zero, else to another, not expected, which
    /// becomes the current one; the first.
    pub(super) fn unlikely(&mut self, ok: Value) -> Block {
        let (good, bad) = (self.new_block(), self.new_block());
        self.end(Terminator::Branch {
            cond: ok,
            then: Edge::new(good, vec![]),
            other: Edge::new(bad, vec![]),
            probability: u16::MAX,
        });
        self.cur = Some(bad);
        good
    }

    /// The state `state` with its exception raised there.
    pub(super) fn raising(&mut self, state: State) -> State {
        let mut s = self.f.states[state].clone();
        s.resume = Resume::AfterCall;
        self.f.states.push(s)
    }
}
