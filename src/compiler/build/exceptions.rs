//! Exceptions within compiled code: calls in try ranges, `athrow`, what an inlined method throws.
//!
//! Calls and `athrow` alone reach handlers within the function; whatever else throws leaves for the interpreter.

use super::super::ir::{Action, Edge, Op, Reason, RefFacts, Resume, Runtime, State, Terminator, Type, Value};
use super::super::refusal::Refusal;
use super::{resolve, Builder};
use crate::meta::class::ClassRef;
use crate::meta::well_known::Known;

/// What a handler catches.
enum Catch {
    Everything,
    Class(ClassRef),
    /// Not resolved: only the interpreter can tell.
    Unknown,
}

impl Builder<'_> {
    /// The handlers of scope `s` that an exception at its current bytecode may reach: catch and bytecode index.
    fn handlers(&self, s: usize) -> Vec<(Catch, u16)> {
        let scope = &self.scopes[s];
        let bci = scope.bci;
        let mut out = Vec::new();
        for e in scope.table.iter().filter(|e| e.start_pc <= bci && bci < e.end_pc) {
            if e.catch_type == 0 {
                out.push((Catch::Everything, e.handler_pc));
                break;
            }
            let catch = match resolve::class(scope.method.class(), e.catch_type) {
                Some(c) => Catch::Class(c),
                None => Catch::Unknown,
            };
            out.push((catch, e.handler_pc));
        }
        out
    }

    /// Whether an exception that leaves the current bytecode has anything to do in this function.
    fn catches(&self) -> bool {
        (0..self.scopes.len()).rev().any(|s| !self.handlers(s).is_empty() || !self.scopes[s].frame.monitors.is_empty())
    }

    /// Whether all that it may have to do is known.
    fn can_dispatch(&self) -> bool {
        for s in (0..self.scopes.len()).rev() {
            let handlers = self.handlers(s);
            if handlers.iter().any(|h| matches!(h.0, Catch::Unknown)) {
                return false;
            }
            if handlers.last().is_some_and(|h| matches!(h.0, Catch::Everything)) {
                return true;
            }
        }
        true
    }

    /// Ends the block whose last instruction is a call that may throw, if handlers in this function are concerned,
    /// and goes on in a new one. (Where a catch type is not resolved the call ends no block: the frame of one
    /// that throws is deoptimized because its method has a handler there.)
    pub(super) fn guard_call(&mut self) -> Result<(), Refusal> {
        if !self.catches() || !self.can_dispatch() {
            return Ok(());
        }
        let (normal, handler) = (self.new_block(), self.new_block());
        self.end(Terminator::Try(Edge::new(normal, vec![]), Edge::new(handler, vec![])));
        self.cur = Some(handler);
        let exception = self.value(Op::TakeException, vec![], Type::Ref);
        self.set_facts(exception, RefFacts { class: Known::Throwable.try_get(), exact: false, non_null: true });
        self.dispatch(exception)?;
        self.cur = Some(normal);
        Ok(())
    }

    /// Ends the flow with a call that throws.
    pub(super) fn runtime_throw(&mut self, r: Runtime, args: Vec<Value>, state: State) -> Result<(), Refusal> {
        let raising = self.raising(state);
        self.effect_at(Op::CallRuntime(r), args, raising);
        self.guard_call()?;
        self.end(Terminator::Unreachable);
        Ok(())
    }

    /// `athrow` of an exception that is not null.
    pub(super) fn throw(&mut self, exception: Value, state: State) -> Result<(), Refusal> {
        if self.can_dispatch() {
            return self.dispatch(exception);
        }
        self.trap(Reason::Unloaded, Action::Reinterpret, state);
        Ok(())
    }

    /// Ends the flow by going to the handler of `exception`, thrown at the current bytecode: in the innermost
    /// scope, then in its callers, else out of the function. Monitors of the scopes left are released.
    fn dispatch(&mut self, exception: Value) -> Result<(), Refusal> {
        for s in (0..self.scopes.len()).rev() {
            for (catch, handler) in self.handlers(s) {
                let class = match catch {
                    Catch::Everything => None,
                    Catch::Class(c) => Some(c),
                    Catch::Unknown => return Err(self.malformed()),
                };
                let facts = self.facts(exception);
                let certain = class.is_none_or(|c| facts.class.is_some_and(|k| k.is_subclass_of(c)));
                if !certain && facts.exact {
                    continue;
                }
                let edge = self.handler_edge(s, handler, exception)?;
                if certain {
                    self.end(Terminator::Jump(edge));
                    return Ok(());
                }
                let Some(class) = class else { return Err(self.malformed()) };
                let matches = self.value(Op::InstanceOf(class), vec![exception], Type::I32);
                let next = self.new_block();
                self.end(Terminator::Branch {
                    cond: matches,
                    then: edge,
                    other: Edge::new(next, vec![]),
                    probability: 1 << 15,
                });
                self.cur = Some(next);
            }
            self.release_monitors(s);
        }
        self.end(Terminator::Throw(exception));
        Ok(())
    }

    /// An edge to the handler at `bci` of scope `s`, through a block that polls if it lies behind.
    fn handler_edge(&mut self, s: usize, bci: u16, exception: Value) -> Result<Edge, Refusal> {
        let mut frame = self.scopes[s].frame.clone();
        frame.stack = vec![Some(exception)];
        let to = self.scopes[s].flow.at(bci);
        if bci > self.scopes[s].bci {
            return self.edge_from(s, to, &frame);
        }
        // A loop through a handler: without a poll it might never stop.
        let from = self.cur;
        let block = self.start();
        let live = self.scopes[s].live_at_start(to).clone();
        let before = std::mem::replace(&mut self.scopes[s].frame, frame.clone());
        let state = self.state_of(s, bci, Resume::Execute, &live);
        self.scopes[s].frame = before;
        self.effect_at(Op::Safepoint, vec![], state);
        let edge = self.edge_from(s, to, &frame)?;
        self.end(Terminator::Jump(edge));
        self.cur = from;
        Ok(Edge::new(block, vec![]))
    }

    /// Unlocks what the frame of scope `s` holds, which an exception leaves. Never stops: the state is for
    /// whoever walks the stack.
    fn release_monitors(&mut self, s: usize) {
        for object in self.scopes[s].frame.monitors.clone().into_iter().rev() {
            let (bci, live) = (self.scopes[s].bci, self.scopes[s].live_here());
            let state = self.state_of(s, bci, Resume::AfterCall, &live);
            self.effect_at(Op::CallRuntime(Runtime::MonitorExit), vec![object], state);
        }
    }
}
