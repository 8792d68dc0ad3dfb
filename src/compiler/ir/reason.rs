//! Why compiled code gives up: HotSpot's deoptimization reasons and actions, by name.

use std::fmt;

macro_rules! named {
    ($(#[$m:meta])* $name:ident { $($(#[$vm:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$m])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum $name { $($(#[$vm])* $variant,)* }
        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];
            /// HotSpot's name of it.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

named! {
    /// What was not as compiled code assumed (HotSpot's `Deoptimization::DeoptReason`).
    Reason {
        NullCheck = "null_check",
        NullAssert = "null_assert",
        RangeCheck = "range_check",
        /// A receiver or cast object was not of the profiled class.
        ClassCheck = "class_check",
        /// A store to an array of references failed its check.
        ArrayCheck = "array_check",
        Intrinsic = "intrinsic",
        Bimorphic = "bimorphic",
        /// A symbolic reference was not resolved when the code was made.
        Unloaded = "unloaded",
        /// A class was not initialized when the code was made.
        Uninitialized = "uninitialized",
        /// A bytecode that the profile says is never reached.
        Unreached = "unreached",
        /// A bytecode, or an exception in one, that the compiled code has no way for.
        Unhandled = "unhandled",
        /// An assumption about the class hierarchy or a call site was broken.
        Constraint = "constraint",
        Div0Check = "div0_check",
        /// Compiled code is left for other code that is ready (tier transition in a loop).
        Age = "age",
        Predicate = "predicate",
        LoopLimitCheck = "loop_limit_check",
        SpeculateClassCheck = "speculate_class_check",
        SpeculateNullCheck = "speculate_null_check",
        /// A branch that the profile says is never taken.
        UnstableIf = "unstable_if",
        /// `-XX:+DeoptStress` asked for it.
        Stress = "stress",
    }
}

named! {
    /// What becomes of the code that gave up (HotSpot's `Deoptimization::DeoptAction`).
    Action {
        /// Nothing: the interpreter does this one bytecode.
        None = "none",
        /// Recompile if it happens too often.
        MaybeRecompile = "maybe_recompile",
        /// Discard the code, profile anew in the interpreter.
        Reinterpret = "reinterpret",
        /// Discard the code; it is compiled again at once.
        MakeNotEntrant = "make_not_entrant",
        MakeNotCompilable = "make_not_compilable",
    }
}
