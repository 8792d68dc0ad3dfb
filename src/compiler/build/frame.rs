//! The abstract frame of the method being translated: which value each slot holds.

use super::super::ir::{Function, Slot, Value};
use super::super::refusal::Refusal;

/// Values by slot. A long or double is in the first of its two slots, `None` in the second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    pub locals: Vec<Option<Value>>,
    pub stack: Vec<Option<Value>>,
    /// Objects locked, outermost first.
    pub monitors: Vec<Value>,
}

impl Frame {
    pub fn new(max_locals: usize) -> Frame {
        Frame { locals: vec![None; max_locals], stack: Vec::new(), monitors: Vec::new() }
    }

    pub fn push(&mut self, f: &Function, v: Value) {
        self.stack.push(Some(v));
        if f.ty(v).is_two_slots() {
            self.stack.push(None);
        }
    }

    /// Pops a value of one slot.
    pub fn pop1(&mut self, bci: u16) -> Result<Value, Refusal> {
        self.stack.pop().flatten().ok_or(Refusal::Malformed(bci))
    }

    /// Pops a long or double.
    pub fn pop2(&mut self, bci: u16) -> Result<Value, Refusal> {
        match self.stack.pop() {
            Some(None) => self.pop1(bci),
            _ => Err(Refusal::Malformed(bci)),
        }
    }

    /// Pops `n` slots, as they lie.
    pub fn pop_slots(&mut self, n: usize, bci: u16) -> Result<Vec<Option<Value>>, Refusal> {
        let at = self.stack.len().checked_sub(n).ok_or(Refusal::Malformed(bci))?;
        Ok(self.stack.split_off(at))
    }

    pub fn set_local(&mut self, f: &Function, i: usize, v: Value, bci: u16) -> Result<(), Refusal> {
        let two = f.ty(v).is_two_slots();
        if i + usize::from(two) >= self.locals.len() {
            return Err(Refusal::Malformed(bci));
        }
        // Whatever long or double this cuts in half is gone.
        if let Some(before) = i.checked_sub(1) {
            if self.locals[before].is_some_and(|w| f.ty(w).is_two_slots()) {
                self.locals[before] = None;
            }
        }
        self.locals[i] = Some(v);
        if two {
            self.locals[i + 1] = None;
        }
        Ok(())
    }

    /// Puts `to` wherever `from` is: a check has told more of the same reference.
    pub fn refine(&mut self, from: Value, to: Value) {
        for s in self.locals.iter_mut().chain(&mut self.stack) {
            if *s == Some(from) {
                *s = Some(to);
            }
        }
    }

    /// Some slot has this value.
    pub fn holds(&self, v: Value) -> bool {
        self.locals.iter().chain(&self.stack).any(|s| *s == Some(v))
    }

    pub fn stack_slots(&self) -> Vec<Slot> {
        self.stack.iter().map(|v| v.map_or(Slot::Dead, Slot::Value)).collect()
    }
}
