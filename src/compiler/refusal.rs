//! Why a method is not compiled.

use std::fmt;

/// See the module comment. The method then stays in the interpreter, or in the tier below.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Native, abstract, or made by the VM.
    NoCode,
    /// `jsr` or `ret` at this bytecode index: subroutines are not compiled.
    Subroutine(u16),
    /// Monitors that are not entered and exited in pairs (JVMS 2.11.10), at this bytecode index.
    UnstructuredLocking(u16),
    /// Code that no verifier would pass, at this bytecode index.
    Malformed(u16),
    /// A loop entered by on-stack replacement with operands on the stack, or a bytecode that is no loop header.
    OsrEntry(u16),
    /// `Object.<init>`, which registers finalizers, is compiled into its callers only.
    ObjectInit,
    /// A method that the interpreter has an instruction for, as compiled code has at its calls: its bytecode does not
    /// do exactly the same.
    InterpreterIntrinsic,
    /// More nodes than a compile may make.
    TooManyNodes { nodes: usize, limit: usize },
    /// A frame state names a method that does not exist (textual IR only).
    NoMethod,
    /// A run-time function would need more argument registers than there are.
    TooManyArguments,
    /// The register allocator gave up.
    RegisterAllocation(&'static str),
    /// The code is too large for a branch.
    TooFar,
    /// A pass panicked: what it said.
    Panic(String),
}

impl Refusal {
    /// What kind of reason it is, to count by.
    pub fn kind(&self) -> &'static str {
        match self {
            Refusal::NoCode => "no code",
            Refusal::Subroutine(_) => "subroutine",
            Refusal::UnstructuredLocking(_) => "unbalanced monitors",
            Refusal::Malformed(_) => "malformed code",
            Refusal::OsrEntry(_) => "OSR entry",
            Refusal::ObjectInit => "Object.<init>",
            Refusal::InterpreterIntrinsic => "interpreter intrinsic",
            Refusal::TooManyNodes { .. } => "out of nodes",
            Refusal::NoMethod => "no method",
            Refusal::TooManyArguments => "too many arguments",
            Refusal::RegisterAllocation(_) => "register allocation",
            Refusal::TooFar => "code too large",
            Refusal::Panic(_) => "panic",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoCode => write!(f, "method has no bytecode"),
            Refusal::Subroutine(bci) => write!(f, "jsr/ret at bytecode {bci}"),
            Refusal::UnstructuredLocking(bci) => write!(f, "unbalanced monitors at bytecode {bci}"),
            Refusal::Malformed(bci) => write!(f, "malformed code at bytecode {bci}"),
            Refusal::OsrEntry(bci) => write!(f, "OSR starts with non-empty stack or outside a loop at bytecode {bci}"),
            Refusal::ObjectInit => write!(f, "Object.<init> is compiled into its callers only"),
            Refusal::InterpreterIntrinsic => write!(f, "the interpreter has an instruction for the method"),
            Refusal::TooManyNodes { nodes, limit } => write!(f, "out of nodes ({nodes} > {limit})"),
            Refusal::NoMethod => write!(f, "a frame state names no method"),
            Refusal::TooManyArguments => write!(f, "too many arguments for a run-time function"),
            Refusal::RegisterAllocation(why) => write!(f, "register allocation failed: {why}"),
            Refusal::Panic(what) => write!(f, "the compiler panicked: {what}"),
            Refusal::TooFar => write!(f, "code too large for a branch"),
        }
    }
}
