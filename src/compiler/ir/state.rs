//! Frame states: what the interpreter needs to go on from a point of compiled code.

use super::function::{MethodIx, Value};
use crate::meta::class::ClassRef;
use cranelift_entity::entity_impl;

/// A frame state of a function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct State(u32);
entity_impl!(State, "s");

/// Where the interpreter takes a frame up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Resume {
    /// Executes the bytecode at `bci`; nothing of it has happened.
    Execute,
    /// The bytecode at `bci` is a call whose arguments have been popped: its result is pushed, or its exception
    /// raised there. Callers of inlined methods stand so.
    AfterCall,
    /// The synchronized method at bci 0 has not taken its lock yet.
    MethodEntry,
}

/// One slot of a frame. A long or double has its value in the first of its two slots, `Dead` in the second.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Slot {
    /// Not read any more (or never written).
    Dead,
    Value(Value),
    /// A scalar-replaced object: made when the frame is.
    Virtual(VirtualIx),
}

/// A scalar-replaced object of a frame state, counted over the state and its parents (`FrameState::virtuals`
/// of the innermost state holds them all).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VirtualIx(u32);
entity_impl!(VirtualIx, "o");

/// An object that exists only in frame states.
#[derive(Clone, PartialEq, Debug)]
pub struct VirtualObject {
    /// Its class; an array class for arrays.
    pub class: ClassRef,
    /// Values by field offset, or by element offset for arrays (all of them).
    pub fields: Vec<(u32, super::types::Mem, Slot)>,
    /// Array length.
    pub length: u32,
    /// How often it is locked by the frames of the state.
    pub locks: u32,
    /// It is what `valueOf` of its class gives for its only field.
    pub boxed: bool,
}

/// A held monitor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Monitor {
    pub object: Slot,
    /// Not locked in the heap (lock elision): deoptimization locks it.
    pub elided: bool,
}

/// See the module comment.
#[derive(Clone, PartialEq, Debug)]
pub struct FrameState {
    /// State of the caller that the method was inlined into, with `Resume::AfterCall`.
    pub parent: Option<State>,
    pub method: MethodIx,
    pub bci: u16,
    pub resume: Resume,
    pub locals: Vec<Slot>,
    pub stack: Vec<Slot>,
    /// Outermost first; a synchronized method's own is the first.
    pub monitors: Vec<Monitor>,
    /// Objects that `Slot::Virtual` of this state and its parents refer to (innermost state only).
    pub virtuals: Vec<VirtualObject>,
}

impl FrameState {
    /// Calls `f` on each value of this frame (not of the parents).
    pub fn for_each_use(&mut self, mut f: impl FnMut(&mut Value)) {
        let slots = self
            .locals
            .iter_mut()
            .chain(&mut self.stack)
            .chain(self.monitors.iter_mut().map(|m| &mut m.object))
            .chain(self.virtuals.iter_mut().flat_map(|o| o.fields.iter_mut().map(|x| &mut x.2)));
        for s in slots {
            if let Slot::Value(v) = s {
                f(v)
            }
        }
    }

    /// The values of this frame.
    pub fn uses(&self) -> Vec<Value> {
        let mut out = Vec::new();
        self.clone().for_each_use(|v| out.push(*v));
        out
    }
}

