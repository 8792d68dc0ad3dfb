//! The intermediate representation (design.md section 6): a control-flow graph in SSA form with block
//! parameters, typed values, and frame states for everything that may leave compiled code.

pub mod dominators;
pub mod function;
pub mod interpret;
pub mod names;
pub mod op;
pub mod parse;
pub mod print;
pub mod reason;
pub mod state;
pub mod types;
pub mod verify;

pub use function::{Block, Edge, Function, Inst, InstData, MethodIx, MethodName, RefFacts, Terminator, Value, ValueDef};
pub use op::{Binary, Convert, Fence, Op, Rmw, Runtime, Target, Unary};
pub use reason::{Action, Reason};
pub use state::{FrameState, Monitor, Resume, Slot, State, VirtualIx, VirtualObject};
pub use types::{Cond, Mem, Order, Type};
