//! Classes, fields and methods of the class library that the VM knows by name. What depends
//! on the library's version (JDK 17) is in these tables.

use super::class::ClassRef;
use super::method::MethodRef;
use super::symbol::Symbol;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

macro_rules! well_known_classes {
    ($($id:ident = $name:literal),* $(,)?) => {
        /// A class that the VM knows; loaded by the boot loader at start-up, in this order.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(non_camel_case_types)] // the names are the classes' own
        pub enum Known { $($id),* }

        impl Known {
            /// Every known class.
            pub const ALL: &'static [Known] = &[$(Known::$id),*];

            /// Binary name with slashes.
            pub const fn name(self) -> &'static str {
                match self { $(Known::$id => $name),* }
            }
        }
    };
}

well_known_classes! {
    Object = "java/lang/Object",
    Serializable = "java/io/Serializable",
    Comparable = "java/lang/Comparable",
    CharSequence = "java/lang/CharSequence",
    String = "java/lang/String",
    GenericDeclaration = "java/lang/reflect/GenericDeclaration",
    Class = "java/lang/Class",
    Cloneable = "java/lang/Cloneable",
    ClassLoader = "java/lang/ClassLoader",
    System = "java/lang/System",
    Throwable = "java/lang/Throwable",
    Error = "java/lang/Error",
    Exception = "java/lang/Exception",
    RuntimeException = "java/lang/RuntimeException",
    ThreadDeath = "java/lang/ThreadDeath",
    SecurityManager = "java/lang/SecurityManager",
    ProtectionDomain = "java/security/ProtectionDomain",
    AccessControlContext = "java/security/AccessControlContext",
    AccessController = "java/security/AccessController",
    SecureClassLoader = "java/security/SecureClassLoader",
    ClassNotFoundException = "java/lang/ClassNotFoundException",
    NoClassDefFoundError = "java/lang/NoClassDefFoundError",
    LinkageError = "java/lang/LinkageError",
    ClassCastException = "java/lang/ClassCastException",
    ArrayStoreException = "java/lang/ArrayStoreException",
    OutOfMemoryError = "java/lang/OutOfMemoryError",
    StackOverflowError = "java/lang/StackOverflowError",
    InternalError = "java/lang/InternalError",
    VirtualMachineError = "java/lang/VirtualMachineError",
    IllegalMonitorStateException = "java/lang/IllegalMonitorStateException",
    Reference = "java/lang/ref/Reference",
    SoftReference = "java/lang/ref/SoftReference",
    WeakReference = "java/lang/ref/WeakReference",
    FinalReference = "java/lang/ref/FinalReference",
    PhantomReference = "java/lang/ref/PhantomReference",
    Finalizer = "java/lang/ref/Finalizer",
    Thread = "java/lang/Thread",
    ThreadGroup = "java/lang/ThreadGroup",
    Properties = "java/util/Properties",
    Module = "java/lang/Module",
    AccessibleObject = "java/lang/reflect/AccessibleObject",
    Field = "java/lang/reflect/Field",
    Parameter = "java/lang/reflect/Parameter",
    Executable = "java/lang/reflect/Executable",
    Method = "java/lang/reflect/Method",
    Constructor = "java/lang/reflect/Constructor",
    RecordComponent = "java/lang/reflect/RecordComponent",
    MagicAccessorImpl = "jdk/internal/reflect/MagicAccessorImpl",
    MethodAccessorImpl = "jdk/internal/reflect/MethodAccessorImpl",
    ConstructorAccessorImpl = "jdk/internal/reflect/ConstructorAccessorImpl",
    DelegatingClassLoader = "jdk/internal/reflect/DelegatingClassLoader",
    ConstantPool = "jdk/internal/reflect/ConstantPool",
    CallerSensitive = "jdk/internal/reflect/CallerSensitive",
    Record = "java/lang/Record",
    MethodHandle = "java/lang/invoke/MethodHandle",
    DirectMethodHandle = "java/lang/invoke/DirectMethodHandle",
    VarHandle = "java/lang/invoke/VarHandle",
    MemberName = "java/lang/invoke/MemberName",
    ResolvedMethodName = "java/lang/invoke/ResolvedMethodName",
    MethodHandleNatives = "java/lang/invoke/MethodHandleNatives",
    LambdaForm = "java/lang/invoke/LambdaForm",
    MethodType = "java/lang/invoke/MethodType",
    BootstrapMethodError = "java/lang/BootstrapMethodError",
    CallSite = "java/lang/invoke/CallSite",
    ConstantCallSite = "java/lang/invoke/ConstantCallSite",
    MutableCallSite = "java/lang/invoke/MutableCallSite",
    VolatileCallSite = "java/lang/invoke/VolatileCallSite",
    CallSiteContext = "java/lang/invoke/MethodHandleNatives$CallSiteContext",
    StackTraceElement = "java/lang/StackTraceElement",
    StackFrameInfo = "java/lang/StackFrameInfo",
    LiveStackFrameInfo = "java/lang/LiveStackFrameInfo",
    AbstractStackWalker = "java/lang/StackStreamFactory$AbstractStackWalker",
    Boolean = "java/lang/Boolean",
    Character = "java/lang/Character",
    Float = "java/lang/Float",
    Double = "java/lang/Double",
    Byte = "java/lang/Byte",
    Short = "java/lang/Short",
    Integer = "java/lang/Integer",
    Long = "java/lang/Long",
    Void = "java/lang/Void",
    Iterator = "java/util/Iterator",
    Unsafe = "jdk/internal/misc/Unsafe",
    DirectByteBuffer = "java/nio/DirectByteBuffer",
    Buffer = "java/nio/Buffer",
    AssertionStatusDirectives = "java/lang/AssertionStatusDirectives",
    AbstractOwnableSynchronizer = "java/util/concurrent/locks/AbstractOwnableSynchronizer",
    Vm = "jdk/internal/misc/VM",
}

static CLASSES: [AtomicPtr<super::class::Class>; Known::ALL.len()] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; Known::ALL.len()];

impl Known {
    /// The class. It must have been loaded: true after the first step of start-up.
    #[inline(always)]
    pub fn get(self) -> ClassRef {
        let p = CLASSES[self as usize].load(Ordering::Relaxed);
        debug_assert!(!p.is_null(), "{} is not loaded yet", self.name());
        // SAFETY: set to a boot class, which is never unloaded. The null check guards start-up.
        unsafe { p.as_ref().unwrap_or_else(|| panic!("{} is not loaded yet", self.name())) }
    }

    /// The class if start-up has come that far.
    pub fn try_get(self) -> Option<ClassRef> {
        // SAFETY: as above.
        unsafe { CLASSES[self as usize].load(Ordering::Acquire).as_ref() }
    }

    /// Records the loaded class.
    pub fn set(self, class: ClassRef) {
        CLASSES[self as usize].store(class as *const _ as *mut _, Ordering::Release)
    }
}

/// Fields that the VM adds to library classes: (class, name, descriptor).
pub const INJECTED_FIELDS: &[(Known, &str, &str)] = &[
    // java.lang.Class: the class's address (0 for primitives); the primitive's BasicType code
    // or 0; the mirror's size in bytes; how many static references follow the instance fields.
    (Known::Class, "kiln_class", "J"),
    (Known::Class, "kiln_primitive", "I"),
    (Known::Class, "kiln_mirror_bytes", "I"),
    (Known::Class, "kiln_static_refs", "I"),
    (Known::Class, "kiln_protection_domain", "Ljava/security/ProtectionDomain;"),
    (Known::Class, "kiln_signers", "[Ljava/lang/Object;"),
    // Loader data address.
    (Known::ClassLoader, "kiln_loader", "J"),
    // Module address.
    (Known::Module, "kiln_module", "J"),
    // Method address, and the mirror that keeps its class alive.
    (Known::ResolvedMethodName, "kiln_method", "J"),
    (Known::ResolvedMethodName, "kiln_holder", "Ljava/lang/Class;"),
    // vtable or itable index, field offset.
    (Known::MemberName, "kiln_vmindex", "J"),
    // Number that assumptions about a call site's target go by.
    (Known::CallSiteContext, "kiln_dependencies", "J"),
    // Redefinition count of the class when the frame was walked.
    (Known::StackFrameInfo, "kiln_version", "S"),
];

macro_rules! well_known_fields {
    ($($id:ident = $class:ident . $name:literal $desc:literal),* $(,)?) => {
        /// An instance or static field that the VM reads or writes.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum KnownField { $($id),* }

        impl KnownField {
            /// Every known field.
            pub const ALL: &'static [KnownField] = &[$(KnownField::$id),*];

            /// Declaring class, name and descriptor.
            pub const fn spec(self) -> (Known, &'static str, &'static str) {
                match self { $(KnownField::$id => (Known::$class, $name, $desc)),* }
            }
        }
    };
}

well_known_fields! {
    StringValue = String."value" "[B",
    StringHash = String."hash" "I",
    StringHashIsZero = String."hashIsZero" "Z",
    StringCoder = String."coder" "B",
    ClassClass = Class."kiln_class" "J",
    ClassPrimitive = Class."kiln_primitive" "I",
    ClassMirrorBytes = Class."kiln_mirror_bytes" "I",
    ClassStaticRefs = Class."kiln_static_refs" "I",
    ClassProtectionDomain = Class."kiln_protection_domain" "Ljava/security/ProtectionDomain;",
    ClassSigners = Class."kiln_signers" "[Ljava/lang/Object;",
    ClassLoaderField = Class."classLoader" "Ljava/lang/ClassLoader;",
    ClassComponentType = Class."componentType" "Ljava/lang/Class;",
    ClassModule = Class."module" "Ljava/lang/Module;",
    ClassName = Class."name" "Ljava/lang/String;",
    ClassClassData = Class."classData" "Ljava/lang/Object;",
    LoaderLoader = ClassLoader."kiln_loader" "J",
    LoaderParent = ClassLoader."parent" "Ljava/lang/ClassLoader;",
    LoaderName = ClassLoader."name" "Ljava/lang/String;",
    LoaderNameAndId = ClassLoader."nameAndId" "Ljava/lang/String;",
    LoaderSystem = ClassLoader."scl" "Ljava/lang/ClassLoader;",
    LoaderUnnamedModule = ClassLoader."unnamedModule" "Ljava/lang/Module;",
    LoaderParallelLockMap = ClassLoader."parallelLockMap" "Ljava/util/concurrent/ConcurrentHashMap;",
    ModuleModule = Module."kiln_module" "J",
    ModuleName = Module."name" "Ljava/lang/String;",
    ModuleLoader = Module."loader" "Ljava/lang/ClassLoader;",
    ThrowableDetailMessage = Throwable."detailMessage" "Ljava/lang/String;",
    ThrowableCause = Throwable."cause" "Ljava/lang/Throwable;",
    ThrowableBacktrace = Throwable."backtrace" "Ljava/lang/Object;",
    ThrowableStackTrace = Throwable."stackTrace" "[Ljava/lang/StackTraceElement;",
    ThrowableDepth = Throwable."depth" "I",
    ReferenceReferent = Reference."referent" "Ljava/lang/Object;",
    ReferenceQueue = Reference."queue" "Ljava/lang/ref/ReferenceQueue;",
    ReferenceNext = Reference."next" "Ljava/lang/ref/Reference;",
    ReferenceDiscovered = Reference."discovered" "Ljava/lang/ref/Reference;",
    SoftReferenceTimestamp = SoftReference."timestamp" "J",
    SoftReferenceClock = SoftReference."clock" "J",
    ThreadName = Thread."name" "Ljava/lang/String;",
    ThreadPriority = Thread."priority" "I",
    ThreadDaemon = Thread."daemon" "Z",
    ThreadInterrupted = Thread."interrupted" "Z",
    ThreadEetop = Thread."eetop" "J",
    ThreadGroupField = Thread."group" "Ljava/lang/ThreadGroup;",
    ThreadTid = Thread."tid" "J",
    ThreadStatus = Thread."threadStatus" "I",
    ThreadParkBlocker = Thread."parkBlocker" "Ljava/lang/Object;",
    ThreadContextClassLoader = Thread."contextClassLoader" "Ljava/lang/ClassLoader;",
    ThreadInheritedAccessControlContext = Thread."inheritedAccessControlContext" "Ljava/security/AccessControlContext;",
    ThreadStillborn = Thread."stillborn" "Z",
    ThreadStackSize = Thread."stackSize" "J",
    ThreadGroupName = ThreadGroup."name" "Ljava/lang/String;",
    ThreadGroupParent = ThreadGroup."parent" "Ljava/lang/ThreadGroup;",
    ThreadGroupNgroups = ThreadGroup."ngroups" "I",
    AccContext = AccessControlContext."context" "[Ljava/security/ProtectionDomain;",
    AccPrivilegedContext = AccessControlContext."privilegedContext" "Ljava/security/AccessControlContext;",
    AccIsPrivileged = AccessControlContext."isPrivileged" "Z",
    AccIsAuthorized = AccessControlContext."isAuthorized" "Z",
    AccessibleObjectOverride = AccessibleObject."override" "Z",
    FieldClazz = Field."clazz" "Ljava/lang/Class;",
    FieldSlot = Field."slot" "I",
    FieldName = Field."name" "Ljava/lang/String;",
    FieldType = Field."type" "Ljava/lang/Class;",
    FieldModifiers = Field."modifiers" "I",
    FieldTrustedFinal = Field."trustedFinal" "Z",
    FieldSignature = Field."signature" "Ljava/lang/String;",
    FieldAnnotations = Field."annotations" "[B",
    MethodClazz = Method."clazz" "Ljava/lang/Class;",
    MethodSlot = Method."slot" "I",
    MethodName = Method."name" "Ljava/lang/String;",
    MethodReturnType = Method."returnType" "Ljava/lang/Class;",
    MethodParameterTypes = Method."parameterTypes" "[Ljava/lang/Class;",
    MethodExceptionTypes = Method."exceptionTypes" "[Ljava/lang/Class;",
    MethodModifiers = Method."modifiers" "I",
    MethodSignature = Method."signature" "Ljava/lang/String;",
    MethodAnnotations = Method."annotations" "[B",
    MethodParameterAnnotations = Method."parameterAnnotations" "[B",
    MethodAnnotationDefault = Method."annotationDefault" "[B",
    ConstructorClazz = Constructor."clazz" "Ljava/lang/Class;",
    ConstructorSlot = Constructor."slot" "I",
    ConstructorParameterTypes = Constructor."parameterTypes" "[Ljava/lang/Class;",
    ConstructorExceptionTypes = Constructor."exceptionTypes" "[Ljava/lang/Class;",
    ConstructorModifiers = Constructor."modifiers" "I",
    ConstructorSignature = Constructor."signature" "Ljava/lang/String;",
    ConstructorAnnotations = Constructor."annotations" "[B",
    ConstructorParameterAnnotations = Constructor."parameterAnnotations" "[B",
    ParameterName = Parameter."name" "Ljava/lang/String;",
    ParameterModifiers = Parameter."modifiers" "I",
    ParameterIndex = Parameter."index" "I",
    ParameterExecutable = Parameter."executable" "Ljava/lang/reflect/Executable;",
    RecordComponentClazz = RecordComponent."clazz" "Ljava/lang/Class;",
    RecordComponentName = RecordComponent."name" "Ljava/lang/String;",
    RecordComponentType = RecordComponent."type" "Ljava/lang/Class;",
    RecordComponentSignature = RecordComponent."signature" "Ljava/lang/String;",
    RecordComponentAccessor = RecordComponent."accessor" "Ljava/lang/reflect/Method;",
    RecordComponentAnnotations = RecordComponent."annotations" "[B",
    RecordComponentTypeAnnotations = RecordComponent."typeAnnotations" "[B",
    ConstantPoolOop = ConstantPool."constantPoolOop" "Ljava/lang/Object;",
    MethodHandleType = MethodHandle."type" "Ljava/lang/invoke/MethodType;",
    MethodHandleForm = MethodHandle."form" "Ljava/lang/invoke/LambdaForm;",
    DirectMethodHandleMember = DirectMethodHandle."member" "Ljava/lang/invoke/MemberName;",
    MemberNameClazz = MemberName."clazz" "Ljava/lang/Class;",
    MemberNameName = MemberName."name" "Ljava/lang/String;",
    MemberNameType = MemberName."type" "Ljava/lang/Object;",
    MemberNameFlags = MemberName."flags" "I",
    MemberNameMethod = MemberName."method" "Ljava/lang/invoke/ResolvedMethodName;",
    MemberNameVmindex = MemberName."kiln_vmindex" "J",
    ResolvedMethodNameVmholder = ResolvedMethodName."kiln_holder" "Ljava/lang/Class;",
    ResolvedMethodNameMethod = ResolvedMethodName."kiln_method" "J",
    LambdaFormVmentry = LambdaForm."vmentry" "Ljava/lang/invoke/MemberName;",
    MethodTypeRtype = MethodType."rtype" "Ljava/lang/Class;",
    MethodTypePtypes = MethodType."ptypes" "[Ljava/lang/Class;",
    CallSiteTarget = CallSite."target" "Ljava/lang/invoke/MethodHandle;",
    CallSiteContextField = CallSite."context" "Ljava/lang/invoke/MethodHandleNatives$CallSiteContext;",
    CallSiteContextDependencies = CallSiteContext."kiln_dependencies" "J",
    SteDeclaringClassObject = StackTraceElement."declaringClassObject" "Ljava/lang/Class;",
    SteClassLoaderName = StackTraceElement."classLoaderName" "Ljava/lang/String;",
    SteModuleName = StackTraceElement."moduleName" "Ljava/lang/String;",
    SteModuleVersion = StackTraceElement."moduleVersion" "Ljava/lang/String;",
    SteDeclaringClass = StackTraceElement."declaringClass" "Ljava/lang/String;",
    SteMethodName = StackTraceElement."methodName" "Ljava/lang/String;",
    SteFileName = StackTraceElement."fileName" "Ljava/lang/String;",
    SteLineNumber = StackTraceElement."lineNumber" "I",
    SfiMemberName = StackFrameInfo."memberName" "Ljava/lang/Object;",
    SfiBci = StackFrameInfo."bci" "I",
    SfiVersion = StackFrameInfo."kiln_version" "S",
    LsfMonitors = LiveStackFrameInfo."monitors" "[Ljava/lang/Object;",
    LsfLocals = LiveStackFrameInfo."locals" "[Ljava/lang/Object;",
    LsfOperands = LiveStackFrameInfo."operands" "[Ljava/lang/Object;",
    LsfMode = LiveStackFrameInfo."mode" "I",
    BooleanValue = Boolean."value" "Z",
    CharacterValue = Character."value" "C",
    FloatValue = Float."value" "F",
    DoubleValue = Double."value" "D",
    ByteValue = Byte."value" "B",
    ShortValue = Short."value" "S",
    IntegerValue = Integer."value" "I",
    LongValue = Long."value" "J",
    BufferAddress = Buffer."address" "J",
    BufferCapacity = Buffer."capacity" "I",
    OwnerThread = AbstractOwnableSynchronizer."exclusiveOwnerThread" "Ljava/lang/Thread;",
}

static OFFSETS: [AtomicU32; KnownField::ALL.len()] = [const { AtomicU32::new(0) }; KnownField::ALL.len()];

impl KnownField {
    /// Byte offset in the instance (for static fields: in the mirror).
    #[inline(always)]
    pub fn offset(self) -> usize {
        let o = OFFSETS[self as usize].load(Ordering::Relaxed) as usize;
        debug_assert!(o != 0, "{self:?} is not laid out yet");
        o
    }

    /// Whether the declaring class has been laid out.
    pub fn is_laid_out(self) -> bool {
        OFFSETS[self as usize].load(Ordering::Acquire) != 0
    }

    /// Looks up the offsets of all known fields of `class`, just laid out.
    /// Errors: a field that this class library lacks, by name.
    pub fn resolve_all_of(known: Known) -> Result<(), String> {
        let class = known.get();
        for &f in KnownField::ALL {
            let (k, name, descriptor) = f.spec();
            if k != known {
                continue;
            }
            let (n, d) = (Symbol::of(name), Symbol::of(descriptor));
            let field = class.fields.iter().find(|x| x.name == n && x.descriptor == d).ok_or_else(|| {
                format!("{}.{name}:{descriptor} is not in this class library (JDK 17 is needed)", known.name())
            })?;
            OFFSETS[f as usize].store(field.offset, Ordering::Release);
        }
        Ok(())
    }
}

/// A declared method of a known class, by name and descriptor; a missing one is a class
/// library of another version.
pub fn method(class: Known, name: &str, descriptor: &str) -> MethodRef {
    class
        .get()
        .find_declared(Symbol::of(name), Symbol::of(descriptor))
        .unwrap_or_else(|| panic!("{}.{name}{descriptor} is not in this class library (JDK 17 is needed)", class.name()))
}
