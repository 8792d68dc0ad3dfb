//! The parsed class file: plain data that borrows from the bytes it came from.
//!
//! Fields that hold a constant pool index say what it refers to; the parser has checked that it
//! does, so the getters of [`ConstantPool`] succeed on them. An index of 0 never stands for
//! "absent": that is an `Option`, except where JVMS itself gives zero a meaning (catch type).

use super::access;
use super::constant_pool::ConstantPool;

/// A class file (JVMS 4.1).
#[derive(Clone, Debug)]
pub struct ClassFile<'a> {
    /// Minor version; 65535 from version 56 on: compiled with preview features.
    pub minor_version: u16,
    /// Major version, 45 to 61.
    pub major_version: u16,
    /// The constants.
    pub constant_pool: ConstantPool<'a>,
    /// The class's flags, those only that JVMS table 4.1-B knows; with `ACC_ABSTRACT` added to an
    /// interface of a class file before version 50 and `ACC_SYNTHETIC` for a `Synthetic` attribute.
    pub access_flags: u16,
    /// Constant pool index of the Class entry for this class.
    pub this_class: u16,
    /// Constant pool index of the Class entry of the superclass; `None` only for
    /// `java/lang/Object`.
    pub super_class: Option<u16>,
    /// Constant pool indices of the Class entries of the direct superinterfaces, in order.
    pub interfaces: Vec<u16>,
    /// The fields declared, in order.
    pub fields: Vec<MemberInfo<'a>>,
    /// The methods declared, in order.
    pub methods: Vec<MemberInfo<'a>>,
    /// The class's attributes.
    pub attributes: ClassAttributes<'a>,
}

impl<'a> ClassFile<'a> {
    /// The class's internal name, `java/lang/Object`.
    pub fn name(&self) -> &'a [u8] {
        self.constant_pool.class_name(self.this_class).unwrap_or(b"")
    }
    /// The superclass's internal name; `None` for `java/lang/Object`.
    pub fn super_name(&self) -> Option<&'a [u8]> {
        self.super_class.and_then(|index| self.constant_pool.class_name(index))
    }
    /// The internal names of the direct superinterfaces.
    pub fn interface_names(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.interfaces.iter().filter_map(|&index| self.constant_pool.class_name(index))
    }
    /// Whether it is an interface.
    pub fn is_interface(&self) -> bool {
        self.access_flags & access::ACC_INTERFACE != 0
    }
}

/// The attributes of a class (JVMS table 4.7-C). What does not fit the class file's version is
/// ignored, as JVMS 4.7 says, and so absent here.
#[derive(Clone, Debug, Default)]
pub struct ClassAttributes<'a> {
    /// SourceFile (4.7.10): index of a Utf8.
    pub source_file: Option<u16>,
    /// SourceDebugExtension (4.7.11): modified UTF-8, unchecked.
    pub source_debug_extension: Option<&'a [u8]>,
    /// Signature (4.7.9): index of a Utf8, the generic signature.
    pub signature: Option<u16>,
    /// InnerClasses (4.7.6).
    pub inner_classes: Vec<InnerClass>,
    /// EnclosingMethod (4.7.7).
    pub enclosing_method: Option<EnclosingMethod>,
    /// NestHost (4.7.28): index of a Class.
    pub nest_host: Option<u16>,
    /// NestMembers (4.7.29): indices of Classes; `None` without the attribute.
    pub nest_members: Option<Vec<u16>>,
    /// Record (4.7.30): `None` unless the class is a record.
    pub record: Option<Vec<RecordComponent<'a>>>,
    /// PermittedSubclasses (4.7.31): `None` unless the class is sealed.
    pub permitted_subclasses: Option<Vec<u16>>,
    /// BootstrapMethods (4.7.23).
    pub bootstrap_methods: Vec<BootstrapMethod<'a>>,
    /// The annotations.
    pub annotations: Annotations<'a>,
    /// A Synthetic attribute (4.7.8) was present.
    pub synthetic: bool,
    /// A Deprecated attribute (4.7.15) was present.
    pub deprecated: bool,
    /// What the class library tells the virtual machine about the class.
    pub vm_annotations: VmAnnotations,
}

/// An entry of InnerClasses (JVMS 4.7.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InnerClass {
    /// Index of the Class entry of the member class.
    pub inner_class: u16,
    /// Index of the Class entry of the class it is a member of; `None` for local and anonymous.
    pub outer_class: Option<u16>,
    /// Index of the Utf8 of its simple name; `None` for anonymous.
    pub inner_name: Option<u16>,
    /// Its flags as declared in the source.
    pub access_flags: u16,
}

/// EnclosingMethod (JVMS 4.7.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnclosingMethod {
    /// Index of the Class entry of the innermost class that encloses the declaration.
    pub class: u16,
    /// Index of the NameAndType of the enclosing method; `None` when in an initializer.
    pub method: Option<u16>,
}

/// An entry of BootstrapMethods (JVMS 4.7.23).
#[derive(Clone, Copy, Debug)]
pub struct BootstrapMethod<'a> {
    /// Index of the MethodHandle.
    pub method_ref: u16,
    /// The arguments: loadable constants' indices, two bytes each, big-endian.
    pub(super) raw_arguments: &'a [u8],
}

impl<'a> BootstrapMethod<'a> {
    /// Number of static arguments.
    pub fn argument_count(&self) -> usize {
        self.raw_arguments.len() / 2
    }
    /// Constant pool indices of the static arguments.
    pub fn arguments(&self) -> impl ExactSizeIterator<Item = u16> + 'a {
        self.raw_arguments.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
    }
}

/// A component of Record (JVMS 4.7.30).
#[derive(Clone, Copy, Debug)]
pub struct RecordComponent<'a> {
    /// Index of the Utf8 of the name.
    pub name: u16,
    /// Index of the Utf8 of the field descriptor.
    pub descriptor: u16,
    /// Index of the Utf8 of the generic signature.
    pub signature: Option<u16>,
    /// The component's annotations.
    pub annotations: Annotations<'a>,
}

/// The annotations of a class, member or record component: the contents of the attributes
/// (what follows `attribute_length`) unparsed, for the class library parses them itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Annotations<'a> {
    /// RuntimeVisibleAnnotations (4.7.16)
    pub visible: Option<&'a [u8]>,
    /// RuntimeInvisibleAnnotations (4.7.17)
    pub invisible: Option<&'a [u8]>,
    /// RuntimeVisibleParameterAnnotations (4.7.18); methods only
    pub visible_parameter: Option<&'a [u8]>,
    /// RuntimeInvisibleParameterAnnotations (4.7.19); methods only
    pub invisible_parameter: Option<&'a [u8]>,
    /// RuntimeVisibleTypeAnnotations (4.7.20)
    pub visible_type: Option<&'a [u8]>,
    /// RuntimeInvisibleTypeAnnotations (4.7.21)
    pub invisible_type: Option<&'a [u8]>,
    /// AnnotationDefault (4.7.22); methods only
    pub default: Option<&'a [u8]>,
}

/// What the class library tells the virtual machine through annotations. All false unless
/// [`super::ParseOptions::vm_annotations`]; `contended` goes by [`super::ParseOptions::contended`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VmAnnotations {
    /// `@ForceInline` on a method
    pub force_inline: bool,
    /// `@DontInline` on a method
    pub dont_inline: bool,
    /// `@CallerSensitive` on a method
    pub caller_sensitive: bool,
    /// `@jdk.internal.vm.annotation.Hidden` on a method: left out of stack traces
    pub hidden: bool,
    /// `@LambdaForm.Compiled` on a method
    pub lambda_form_compiled: bool,
    /// `@InjectedProfile` on a method
    pub injected_profile: bool,
    /// `@IntrinsicCandidate` on a method
    pub intrinsic_candidate: bool,
    /// `@ReservedStackAccess` on a method
    pub reserved_stack_access: bool,
    /// `@Scoped` on a method
    pub scoped: bool,
    /// `@Stable` on a field
    pub stable: bool,
    /// `@Contended` on a field or class; the value is the index of the Utf8 of the group, 0 when
    /// it has none.
    pub contended: Option<u16>,
    /// `@ValueBased` on a class
    pub value_based: bool,
}

/// A field (JVMS 4.5) or method (4.6).
#[derive(Clone, Debug)]
pub struct MemberInfo<'a> {
    /// Flags; only those that JVMS knows, with `ACC_SYNTHETIC` for a `Synthetic` attribute, and
    /// for `<clinit>` as JVMS 2.9.2 says.
    pub access_flags: u16,
    /// Index of the Utf8 of the name.
    pub name_index: u16,
    /// Index of the Utf8 of the descriptor.
    pub descriptor_index: u16,
    /// The name.
    pub name: &'a [u8],
    /// The descriptor.
    pub descriptor: &'a [u8],
    /// Signature (4.7.9): index of the Utf8 of the generic signature.
    pub signature: Option<u16>,
    /// Fields: ConstantValue (4.7.2) of a static field: index of a constant of the field's type.
    pub constant_value: Option<u16>,
    /// Methods: Exceptions (4.7.5): indices of the Class entries of the checked exceptions.
    pub exceptions: Vec<u16>,
    /// Methods: Code (4.7.3): absent if and only if native or abstract.
    pub code: Option<Box<Code<'a>>>,
    /// Methods: MethodParameters (4.7.24); `None` without the attribute.
    pub parameters: Option<Vec<MethodParameter>>,
    /// The annotations.
    pub annotations: Annotations<'a>,
    /// What the class library tells the virtual machine about the member.
    pub vm_annotations: VmAnnotations,
    /// A Deprecated attribute was present.
    pub deprecated: bool,
}

impl MemberInfo<'_> {
    /// Whether `ACC_STATIC` is set.
    pub fn is_static(&self) -> bool {
        self.access_flags & access::ACC_STATIC != 0
    }
}

/// An entry of MethodParameters (JVMS 4.7.24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodParameter {
    /// Index of the name; `None`: no name. The one index that the parser leaves unchecked, because
    /// reflection throws `MalformedParametersException` if it is not a Utf8's.
    pub name: Option<u16>,
    /// `ACC_FINAL`, `ACC_SYNTHETIC`, `ACC_MANDATED`
    pub access_flags: u16,
}

/// Code (JVMS 4.7.3). The instructions themselves have not been looked at: that is the verifier's
/// work.
#[derive(Clone, Debug)]
pub struct Code<'a> {
    /// Depth of the operand stack, in slots.
    pub max_stack: u16,
    /// Local variables including parameters, in slots.
    pub max_locals: u16,
    /// The bytecode, 1 to 65535 bytes.
    pub code: &'a [u8],
    /// Exception handlers in search order.
    pub exception_table: Vec<ExceptionTableEntry>,
    /// All LineNumberTables (4.7.12), in file order.
    pub line_numbers: Vec<LineNumber>,
    /// All LocalVariableTables (4.7.13), in file order, with the signatures of the
    /// LocalVariableTypeTables (4.7.14) merged in.
    pub local_variables: Vec<LocalVariable>,
    /// StackMapTable (4.7.4): `number_of_entries` and the frames, unparsed.
    pub stack_map_table: Option<&'a [u8]>,
}

/// An exception handler (JVMS 4.7.3). Bytecode indices; `start_pc < end_pc <= code length` and
/// `handler_pc < code length` hold whenever formats are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionTableEntry {
    /// First bytecode covered.
    pub start_pc: u16,
    /// First bytecode no more covered.
    pub end_pc: u16,
    /// The handler.
    pub handler_pc: u16,
    /// Index of the Class entry of what is caught; 0: everything.
    pub catch_type: u16,
}

/// An entry of a LineNumberTable (JVMS 4.7.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineNumber {
    /// First bytecode of the line.
    pub start_pc: u16,
    /// The line in the source.
    pub line: u16,
}

/// An entry of a LocalVariableTable (JVMS 4.7.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalVariable {
    /// First bytecode where the variable has a value.
    pub start_pc: u16,
    /// Number of bytes of code over which it has.
    pub length: u16,
    /// Index of the Utf8 of the name.
    pub name: u16,
    /// Index of the Utf8 of the descriptor.
    pub descriptor: u16,
    /// Index of the Utf8 of the generic signature.
    pub signature: Option<u16>,
    /// The local variable slot.
    pub index: u16,
}
