//! Operations of prepared code.

macro_rules! ops {
    ($($(#[$m:meta])* $name:ident),* $(,)?) => {
        /// What an instruction does. Named after the bytecode (JVMS 6.5); forms that several
        /// bytecodes share are named after their effect. A `Q` at the end marks the quick form
        /// that replaces an instruction with a constant-pool reference once it is resolved.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u16)]
        pub enum Op { $($(#[$m])* $name),* }

        impl Op {
            /// Every operation, by number.
            pub const ALL: &'static [Op] = &[$(Op::$name),*];
        }
    };
}

ops! {
    Nop,
    /// Pushes the 32 bits of `b`: int and float constants, and null.
    Const,
    /// Pushes `b` sign-extended as a long; also double 0.0.
    LConst,
    DConst1,
    /// `ldc` or `ldc2_w` of an entry still to be resolved (`b`: pool index).
    Ldc,
    /// Pushes the reference in root slot `b`.
    LdcQ,
    /// Pushes the 64 bits at address `b` (long, double).
    Ldc2Q,
    /// Pushes local `a`, one slot.
    Load,
    /// Pushes local `a`, two slots.
    Load2,
    Store,
    Store2,
    IALoad, LALoad, AALoad, BALoad, CALoad, SALoad,
    IAStore, LAStore, AAStore, BAStore, CAStore,
    Pop, Pop2, Dup, DupX1, DupX2, Dup2, Dup2X1, Dup2X2, Swap,
    IAdd, LAdd, FAdd, DAdd, ISub, LSub, FSub, DSub, IMul, LMul, FMul, DMul,
    IDiv, LDiv, FDiv, DDiv, IRem, LRem, FRem, DRem, INeg, LNeg, FNeg, DNeg,
    /// The sign bit cleared.
    DAbs,
    IShl, LShl, IShr, LShr, IUshr, LUshr, IAnd, LAnd, IOr, LOr, IXor, LXor,
    /// Local `a` += `b`.
    IInc,
    I2l, I2f, I2d, L2i, L2f, L2d, F2i, F2l, F2d, D2i, D2l, D2f, I2b, I2c, I2s,
    LCmp, FCmpL, FCmpG, DCmpL, DCmpG,
    IfEq, IfNe, IfLt, IfGe, IfGt, IfLe,
    IfICmpEq, IfICmpNe, IfICmpLt, IfICmpGe, IfICmpGt, IfICmpLe, IfACmpEq, IfACmpNe,
    IfNull, IfNonNull,
    /// Branch by `b` instructions.
    Goto,
    Jsr,
    Ret,
    /// Switch table number `b`.
    TableSwitch,
    LookupSwitch,
    /// Returns of the interpreter's result kinds: nothing, one slot, two slots, and narrowed.
    Return, Return1, Return2, ReturnZ, ReturnB, ReturnC, ReturnS,
    /// A return (`a`: which) of a method that may hold monitors.
    ReturnMonitors,
    /// `return` of `Object.<init>`.
    ReturnObjectInit,
    /// Before the first bytecode of a synchronized method.
    SyncEnter,
    GetField, PutField, GetStatic, PutStatic,
    GetFieldB, GetFieldC, GetFieldS, GetFieldI, GetFieldJ, GetFieldA,
    /// Volatile, of the type with code `a`.
    GetFieldV,
    PutFieldZ, PutFieldB, PutFieldC, PutFieldI, PutFieldJ, PutFieldA, PutFieldV,
    /// Statics: offset `a` in the mirror whose narrow address is `b`.
    GetStaticB, GetStaticC, GetStaticS, GetStaticI, GetStaticJ, GetStaticA,
    PutStaticZ, PutStaticB, PutStaticC, PutStaticI, PutStaticJ, PutStaticA,
    /// A static field (`b`: the Field) that is volatile, or too far into the mirror.
    GetStaticV, PutStaticV,
    InvokeVirtual, InvokeSpecial, InvokeStatic, InvokeInterface, InvokeDynamic,
    /// `a`: argument slots, `b`: vtable index.
    InvokeVirtualQ,
    /// Receiver checked for null, method `b`.
    InvokeDirectQ,
    InvokeStaticQ,
    /// `b`: a `ReceiverSite`.
    InvokeInterfaceQ,
    /// invokedynamic and invokehandle; `b`: a `LinkedSite`.
    InvokeLinkedQ,
    New, NewQ,
    /// `b`: the array class.
    NewArray,
    ANewArray,
    ArrayLength,
    AThrow,
    CheckCast, CheckCastQ, InstanceOf, InstanceOfQ,
    MonitorEnter, MonitorExit,
    MultiANewArray, MultiANewArrayQ,
    /// Not a bytecode: fails loudly. JVMS-valid code never contains it.
    Illegal,
    // Superinstructions, see `fuse`; `LoadLoad` is the first.
    LoadLoad,
    LoadLoadIfICmpEq, LoadLoadIfICmpNe, LoadLoadIfICmpLt, LoadLoadIfICmpGe, LoadLoadIfICmpGt, LoadLoadIfICmpLe,
    LoadConstIfICmpEq, LoadConstIfICmpNe, LoadConstIfICmpLt, LoadConstIfICmpGe, LoadConstIfICmpGt, LoadConstIfICmpLe,
    ConstIfICmpEq, ConstIfICmpNe, ConstIfICmpLt, ConstIfICmpGe, ConstIfICmpGt, ConstIfICmpLe,
    LoadIfEq, LoadIfNe, LoadIfLt, LoadIfGe, LoadIfGt, LoadIfLe, LoadIfNull, LoadIfNonNull,
    LoadLoadIALoad, LoadLoadLALoad, LoadLoadAALoad, LoadLoadBALoad, LoadLoadCALoad,
    LoadIALoad, LoadLALoad, LoadAALoad, LoadBALoad, LoadCALoad,
    LoadLoadIAdd, LoadLoadISub, LoadLoadIMul, LoadLoadIAnd, LoadLoadIOr, LoadLoadIXor,
    LoadIAdd, LoadISub, LoadIMul, LoadIAnd, LoadIOr, LoadIXor,
    LoadConstIAdd, LoadConstISub, LoadConstIMul, LoadConstIAnd, LoadConstIShl, LoadConstIShr, LoadConstIUshr,
    ConstIAdd, ConstISub, ConstIMul, ConstIAnd, ConstIShl, ConstIShr, ConstIUshr,
    Load2Load2, Load2Load2LAdd, Load2Load2LSub, Load2Load2DAdd, Load2Load2DSub, Load2Load2DMul,
    Load2LAdd, Load2LSub, Load2DAdd, Load2DSub, Load2DMul,
    IAddStore, IXorStore, LAddStore2, DAddStore2,
    LoadStore, StoreLoad, LoadArrayLength, IIncGoto, IIncLoad,
    LoadGetFieldB, LoadGetFieldC, LoadGetFieldI, LoadGetFieldJ, LoadGetFieldA,
    LoadPutFieldI, LoadPutFieldA,
}
