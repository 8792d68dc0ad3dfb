//! The current frame: what is known of the local variables and operand stack between two
//! instructions (JVMS 4.10.1.4), and the operations of instructions on it.

use super::error::{Fault, Origin, Place, Snapshot};
use super::method::MethodVerifier;
use super::types::{VType, Want};
use super::Stop;

/// The frame that the pass over the code carries along. Both arrays have the full length that the
/// method declares; beyond the sizes in use, locals are `Top`.
#[derive(Default)]
pub(super) struct Frame {
    /// Bytecode index of the instruction.
    pub offset: i32,
    /// flagThisUninit: in a constructor, before another one has been called.
    pub this_uninit: bool,
    pub locals: Vec<VType>,
    pub locals_size: usize,
    pub stack: Vec<VType>,
    pub stack_size: usize,
    /// `stack_size` before the instruction, for messages to show the frame as it was.
    mark: usize,
}

impl Frame {
    /// Makes it the frame of a method that has not started: nothing known, empty stack.
    pub(super) fn reset(&mut self, max_locals: usize, max_stack: usize) {
        self.offset = 0;
        self.this_uninit = false;
        self.locals.clear();
        self.locals.resize(max_locals, VType::Top);
        self.locals_size = 0;
        self.stack.clear();
        self.stack.resize(max_stack, VType::Top);
        self.stack_size = 0;
        self.mark = 0;
    }

    /// The instruction at `bci` begins.
    pub(super) fn begin(&mut self, bci: usize) {
        self.offset = bci as i32;
        self.mark = self.stack_size;
    }

    /// Takes over the types of a stack map frame, which fit.
    pub(super) fn replace(&mut self, locals: &[VType], stack: &[VType], this_uninit: bool) {
        if self.locals_size > locals.len() || self.stack_size > stack.len() {
            self.locals.fill(VType::Top);
            self.stack.fill(VType::Top);
        }
        self.locals[..locals.len()].copy_from_slice(locals);
        self.locals_size = locals.len();
        self.stack[..stack.len()].copy_from_slice(stack);
        self.stack_size = stack.len();
        self.mark = stack.len();
        self.this_uninit = this_uninit;
    }

    /// After a constructor call: what was `old` is `new` everywhere.
    pub(super) fn initialize(&mut self, old: VType, new: VType) {
        let in_use = self.stack.iter_mut().take(self.stack_size);
        for ty in self.locals.iter_mut().chain(in_use).filter(|ty| **ty == old) {
            *ty = new;
        }
        if old == VType::UninitializedThis {
            self.this_uninit = false;
        }
    }

    /// As a message shows it: with the operands that the instruction has already taken.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            offset: self.offset,
            this_uninit: self.this_uninit,
            locals: self.locals[..self.locals_size].to_vec(),
            stack: self.stack[..self.mark].to_vec(),
        }
    }

    /// The slot just above the top of the stack, where the operand last taken was.
    pub(super) fn popped(&self) -> Origin {
        Origin {
            ty: Want::Type(self.stack.get(self.stack_size).copied().unwrap_or(VType::Top)),
            place: Place::Stack(self.stack_size),
            frame: Some(self.snapshot()),
        }
    }

    fn local_origin(&self, index: usize) -> Origin {
        Origin {
            ty: Want::Type(self.locals.get(index).copied().unwrap_or(VType::Top)),
            place: Place::Local(index),
            frame: Some(self.snapshot()),
        }
    }
}

impl<E> MethodVerifier<'_, '_, '_, E> {
    /// Pushes a one-slot value.
    #[inline]
    pub(super) fn push(&mut self, ty: VType) -> Result<(), Stop<E>> {
        let size = self.frame.stack_size;
        match self.frame.stack.get_mut(size) {
            Some(slot) => {
                *slot = ty;
                self.frame.stack_size = size + 1;
                Ok(())
            }
            None => Err(self.stack_overflow()),
        }
    }

    /// Pushes a long or double, of which `first` is the first slot: both slots or neither.
    #[inline]
    pub(super) fn push2(&mut self, first: VType, second: VType) -> Result<(), Stop<E>> {
        let size = self.frame.stack_size;
        match self.frame.stack.get_mut(size..size + 2) {
            Some(slots) => {
                slots.copy_from_slice(&[first, second]);
                self.frame.stack_size = size + 2;
                Ok(())
            }
            None => Err(self.stack_overflow()),
        }
    }

    fn stack_overflow(&self) -> Stop<E> {
        let fault = Fault::StackOverflow(self.frame.snapshot());
        self.fail_at(self.frame.offset, fault, "Operand stack overflow")
    }

    /// Pops a slot, whatever it holds.
    #[inline]
    pub(super) fn pop_any(&mut self) -> Result<VType, Stop<E>> {
        match self.frame.stack_size.checked_sub(1) {
            Some(size) => {
                self.frame.stack_size = size;
                Ok(self.frame.stack[size])
            }
            None => {
                let fault = Fault::StackUnderflow(self.frame.snapshot());
                Err(self.fail_at(self.frame.offset, fault, "Operand stack underflow"))
            }
        }
    }

    /// Pops a slot that must hold what is wanted.
    #[inline]
    pub(super) fn pop_want(&mut self, want: Want) -> Result<VType, Stop<E>> {
        let top = self.pop_any()?;
        if self.class.is_wanted(top, want)? {
            return Ok(top);
        }
        let fault = Fault::Type(self.frame.popped(), Some(Origin::implicit(want)));
        Err(self.fail_at(self.frame.offset, fault, "Bad type on operand stack"))
    }

    /// Pops a value that must be assignable to `ty`.
    #[inline]
    pub(super) fn pop(&mut self, ty: VType) -> Result<VType, Stop<E>> {
        self.pop_want(Want::Type(ty))
    }

    /// Pops a reference, initialized or not.
    #[inline]
    pub(super) fn pop_reference(&mut self) -> Result<VType, Stop<E>> {
        self.pop_want(Want::Reference)
    }

    /// Pops a long or double.
    #[inline]
    pub(super) fn pop2(&mut self, second: VType, first: VType) -> Result<(), Stop<E>> {
        let size = self.frame.stack_size;
        if size >= 2 && self.frame.stack[size - 2..size] == [first, second] {
            self.frame.stack_size = size - 2;
            return Ok(());
        }
        // Of two failures HotSpot reports the later one.
        let top = self.pop(second);
        let below = self.pop(first);
        below.and(top).map(|_| ())
    }

    /// Loads a one-slot local variable that must hold what is wanted.
    pub(super) fn local(&mut self, index: u16, want: Want) -> Result<VType, Stop<E>> {
        let slot = usize::from(index);
        let Some(&ty) = self.frame.locals.get(slot) else {
            return Err(self.local_overflow(index, "Local variable table overflow"));
        };
        if !self.class.is_wanted(ty, want)? {
            return Err(self.bad_local(slot, want));
        }
        self.frame.locals_size = self.frame.locals_size.max(slot + 1);
        Ok(ty)
    }

    /// Loads a long or double.
    pub(super) fn local2(
        &mut self,
        index: u16,
        first: VType,
        second: VType,
    ) -> Result<(), Stop<E>> {
        let slot = usize::from(index);
        if slot + 1 >= self.frame.locals_size {
            return Err(self.local_overflow(index, "get long/double overflows locals"));
        }
        for (slot, ty) in [(slot, first), (slot + 1, second)] {
            let found = self.frame.locals[slot];
            if !self.class.is_assignable(found, ty)? {
                return Err(self.bad_local(slot, Want::Type(ty)));
            }
        }
        Ok(())
    }

    fn local_overflow(&self, index: u16, message: &str) -> Stop<E> {
        self.fail_at(self.frame.offset, Fault::LocalIndex(index), message)
    }

    fn bad_local(&self, slot: usize, want: Want) -> Stop<E> {
        let fault = Fault::Type(self.frame.local_origin(slot), Some(Origin::implicit(want)));
        self.fail_at(self.frame.offset, fault, "Bad local variable type")
    }

    /// Stores a one-slot value; a long or double of which that overwrites one half is gone.
    pub(super) fn set_local(&mut self, index: u16, ty: VType) -> Result<(), Stop<E>> {
        let slot = usize::from(index);
        let Some(&old) = self.frame.locals.get(slot) else {
            return Err(self.local_overflow(index, "Local variable table overflow"));
        };
        if old.is_category2() {
            self.forget(slot + 1);
        }
        if old.is_category2_2nd() {
            self.forget(slot.wrapping_sub(1));
        }
        self.frame.locals[slot] = ty;
        self.frame.locals_size = self.frame.locals_size.max(slot + 1);
        Ok(())
    }

    /// Stores a long or double.
    pub(super) fn set_local2(
        &mut self,
        index: u16,
        first: VType,
        second: VType,
    ) -> Result<(), Stop<E>> {
        let slot = usize::from(index);
        if slot + 1 >= self.frame.locals.len() {
            return Err(self.local_overflow(index, "Local variable table overflow"));
        }
        if self.frame.locals[slot + 1].is_category2() {
            self.forget(slot + 2);
        }
        if self.frame.locals[slot].is_category2_2nd() {
            self.forget(slot.wrapping_sub(1));
        }
        self.frame.locals[slot] = first;
        self.frame.locals[slot + 1] = second;
        self.frame.locals_size = self.frame.locals_size.max(slot + 2);
        Ok(())
    }

    fn forget(&mut self, slot: usize) {
        if let Some(ty) = self.frame.locals.get_mut(slot) {
            *ty = VType::Top;
        }
    }
}
