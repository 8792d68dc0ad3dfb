//! Calls.

use super::{class_of, Lower};
use crate::code::abi::{assign, Location};
use crate::compiler::backend::lir::{Call, Callee, Inst, Reg};
use crate::compiler::backend::Machine;
use crate::compiler::ir::{InstData, Op, Runtime, Target, Value};
use crate::compiler::refusal::Refusal;

impl<M: Machine> Lower<'_, M> {
    /// The call that `i` is, with its state; arguments on the stack are stored.
    pub(super) fn make_call(&mut self, i: &InstData) -> Result<(Call, Option<u32>), Refusal> {
        let state = match i.state {
            Some(s) => Some(self.state(s)?),
            None => None,
        };
        let callee = match i.op {
            Op::Call(Target::Direct(m)) => Callee::Direct(m),
            Op::Call(Target::Virtual(m)) => {
                let index = m.vtable_index.load(std::sync::atomic::Ordering::Relaxed);
                match u32::try_from(index) {
                    // A vtable is as fast as a cache that hits: caches are for those who look at them.
                    Ok(index) if self.options.quick => Callee::Cached(m, Some(index)),
                    Ok(index) => Callee::Virtual { index },
                    // Never dispatched (final, private): there is one method to call.
                    Err(_) => Callee::Direct(m),
                }
            }
            Op::Call(Target::Interface(m)) => Callee::Cached(m, None),
            Op::Call(Target::MethodHandle(m)) => Callee::MethodHandle(m),
            Op::CallRuntime(r) => Callee::Runtime(r),
            ref op => unreachable!("{op:?} is not a call"),
        };
        let result = i.result.map(|v| self.own_reg(v));
        Ok((self.call_with(callee, &i.args, result)?, state))
    }

    fn call_with(&mut self, callee: Callee, args: &[Value], result: Option<Reg>) -> Result<Call, Refusal> {
        let (locations, slots) = assign(args.iter().map(|&a| self.f.ty(a).is_float()), M::INT_ARGS);
        if slots > 0 && matches!(callee, Callee::Runtime(_)) {
            return Err(Refusal::TooManyArguments);
        }
        self.out.outgoing = self.out.outgoing.max(slots);
        let mut in_registers = Vec::new();
        for (&v, &l) in args.iter().zip(&locations) {
            let src = self.reg(v);
            match l {
                Location::Stack(slot) => self.emit(Inst::StoreOutgoing { ty: self.f.ty(v), src, slot }),
                l => in_registers.push((src, l)),
            }
        }
        Ok(Call { callee, args: in_registers, result })
    }

    /// A floating-point remainder.
    pub(super) fn remainder(&mut self, function: Runtime, i: &InstData) -> Result<(), Refusal> {
        let result = self.result(i);
        debug_assert_eq!(result.class(), class_of(self.f.ty(i.args[0])));
        let call = self.call_with(Callee::Runtime(function), &i.args, Some(result))?;
        self.emit(Inst::Call(call));
        Ok(())
    }

    pub(super) fn call(&mut self, i: &InstData) -> Result<(), Refusal> {
        let (call, state) = self.make_call(i)?;
        match state {
            Some(s) => self.emit_with(Inst::Call(call), s),
            None => self.emit(Inst::Call(call)),
        }
        Ok(())
    }
}
