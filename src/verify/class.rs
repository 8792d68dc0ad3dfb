//! What the verification of one class needs in every method: names, constants translated to
//! verification types, and assignability.

use std::borrow::Cow;
use std::collections::HashMap;

use super::frame::Frame;
use super::method::MethodVerifier;
use super::stackmap::StackMapTable;
use super::types::{primitive_type, NameId, Names, VType, Want};
use super::{Failure, Stop, VerifyEnv, CLASS_FORMAT_ERROR};
use crate::classfile::{access, ClassFile, Constant, FieldType, MethodDescriptor};

/// Names that instructions imply.
pub(super) struct WellKnown {
    pub object: NameId,
    pub throwable: NameId,
    pub string: NameId,
    pub class: NameId,
    pub method_handle: NameId,
    pub method_type: NameId,
}

/// A field or method descriptor as verification types: a range of [`ClassVerifier::signature_types`].
#[derive(Clone, Copy)]
pub(super) struct Signature {
    start: u32,
    /// Slots of the arguments (none for a field).
    pub arguments: u16,
    /// Slots of the field or the result.
    pub results: u16,
}

impl Signature {
    /// Indices of the arguments' types.
    pub(super) fn argument_range(self) -> std::ops::Range<usize> {
        let start = self.start as usize;
        start..start + usize::from(self.arguments)
    }
    /// Indices of the types of the field or result.
    pub(super) fn result_range(self) -> std::ops::Range<usize> {
        let start = self.argument_range().end;
        start..start + usize::from(self.results)
    }
}

/// Memory that one method's verification hands on to the next.
#[derive(Default)]
pub(super) struct Scratch {
    pub frame: Frame,
    pub stack_map: StackMapTable,
    /// What starts at each byte of the code.
    pub starts: Vec<u8>,
}

/// The verification of a class.
pub(super) struct ClassVerifier<'v, 'a, E> {
    pub cls: &'v ClassFile<'a>,
    pub env: &'v mut dyn VerifyEnv<Error = E>,
    pub names: Names<'a>,
    pub known: WellKnown,
    pub this_name: NameId,
    pub super_name: Option<NameId>,
    pub hidden: bool,
    pub scratch: Scratch,
    /// Verification types of signatures, one after another.
    pub signature_types: Vec<VType>,
    /// By constant pool index of a Class entry, its name; made when first needed.
    class_names: Vec<Option<NameId>>,
    /// By constant pool index of a descriptor; made when first needed.
    signatures: Vec<Option<Signature>>,
    /// Answers of [`VerifyEnv::is_assignable`]: asking again would load nothing more.
    assignable: HashMap<(NameId, NameId, bool), bool>,
}

impl<'v, 'a, E> ClassVerifier<'v, 'a, E> {
    /// Prepares the verification of `cls`, named `hidden_name` if that is given.
    pub(super) fn new(
        cls: &'v ClassFile<'a>,
        hidden_name: Option<&[u8]>,
        env: &'v mut dyn VerifyEnv<Error = E>,
    ) -> Self {
        let mut names = Names::new();
        let mut well_known = |name: &'static [u8]| names.intern(Cow::Borrowed(name));
        let known = WellKnown {
            object: well_known(b"java/lang/Object"),
            throwable: well_known(b"java/lang/Throwable"),
            string: well_known(b"java/lang/String"),
            class: well_known(b"java/lang/Class"),
            method_handle: well_known(b"java/lang/invoke/MethodHandle"),
            method_type: well_known(b"java/lang/invoke/MethodType"),
        };
        let this_name = names.intern(match hidden_name {
            Some(name) => Cow::Owned(name.to_vec()),
            None => Cow::Borrowed(cls.name()),
        });
        let super_name = cls.super_name().map(|name| names.intern(Cow::Borrowed(name)));
        let mut class_names = vec![None; cls.constant_pool.len()];
        if let Some(own) = class_names.get_mut(usize::from(cls.this_class)) {
            *own = Some(this_name);
        }
        ClassVerifier {
            cls,
            env,
            names,
            known,
            this_name,
            super_name,
            hidden: hidden_name.is_some(),
            scratch: Scratch::default(),
            signature_types: Vec::new(),
            class_names,
            signatures: vec![None; cls.constant_pool.len()],
            assignable: HashMap::new(),
        }
    }

    /// Verifies all methods that have code.
    pub(super) fn verify(mut self) -> Result<(), Stop<E>> {
        let cls = self.cls;
        for method in &cls.methods {
            if method.access_flags & (access::ACC_NATIVE | access::ACC_ABSTRACT) != 0 {
                continue;
            }
            if let Some(code) = &method.code {
                MethodVerifier::new(&mut self, method, code).verify()?;
            }
        }
        Ok(())
    }

    /// The class being verified, as a type.
    pub(super) fn this_type(&self) -> VType {
        VType::Ref(self.this_name)
    }

    /// The name in the Class entry at `index`, which the caller has checked to be one.
    pub(super) fn class_name(&mut self, index: u16) -> Result<NameId, Stop<E>> {
        if let Some(Some(name)) = self.class_names.get(usize::from(index)) {
            return Ok(*name);
        }
        let Some(name) = self.cls.constant_pool.class_name(index) else {
            return Err(corrupt("a Class constant"));
        };
        let name = self.names.intern(Cow::Borrowed(name));
        self.class_names[usize::from(index)] = Some(name);
        Ok(name)
    }

    /// The descriptor in the Utf8 entry at `index` as verification types.
    pub(super) fn signature(&mut self, index: u16) -> Result<Signature, Stop<E>> {
        if let Some(Some(signature)) = self.signatures.get(usize::from(index)) {
            return Ok(*signature);
        }
        let start = self.signature_types.len();
        let signature = self
            .cls
            .constant_pool
            .utf8(index)
            .and_then(|descriptor| self.translate(descriptor))
            .map(|(arguments, results)| Signature { start: start as u32, arguments, results });
        let Some(signature) = signature else {
            return Err(corrupt("a descriptor"));
        };
        self.signatures[usize::from(index)] = Some(signature);
        Ok(signature)
    }

    /// Appends a descriptor's types to `signature_types`; returns the numbers of slots of the
    /// arguments and of the result (or field).
    fn translate(&mut self, descriptor: &'a [u8]) -> Option<(u16, u16)> {
        let start = self.signature_types.len();
        let mut rest = descriptor;
        let mut arguments = 0;
        if let Some(parameters) = rest.strip_prefix(b"(") {
            rest = parameters;
            while *rest.first()? != b')' {
                rest = self.translate_type(rest)?;
            }
            rest = &rest[1..];
            arguments = self.signature_types.len() - start;
        }
        if rest != b"V" {
            rest = self.translate_type(rest)?;
            if !rest.is_empty() {
                return None;
            }
        }
        let results = self.signature_types.len() - start - arguments;
        Some((u16::try_from(arguments).ok()?, u16::try_from(results).ok()?))
    }

    /// Appends the types of the slots of the first type in `bytes`; returns what follows it.
    fn translate_type(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (ty, rest) = FieldType::parse_prefix(bytes)?;
        let first = match ty {
            FieldType::Object(name) => VType::Ref(self.names.intern(Cow::Borrowed(name))),
            FieldType::Array { .. } => {
                let name = &bytes[..bytes.len() - rest.len()];
                VType::Ref(self.names.intern(Cow::Borrowed(name)))
            }
            FieldType::Int
            | FieldType::Boolean
            | FieldType::Byte
            | FieldType::Char
            | FieldType::Short => VType::Integer,
            FieldType::Float => VType::Float,
            FieldType::Long => VType::Long,
            FieldType::Double => VType::Double,
            FieldType::Void => return None,
        };
        self.signature_types.push(first);
        self.signature_types.extend(first.second());
        Some(rest)
    }

    /// The type that a method with this descriptor must return, as precisely as an array component
    /// is known; `None`: nothing.
    pub(super) fn return_type(&mut self, descriptor: &'a [u8]) -> Result<Option<VType>, Stop<E>> {
        let Some(method) = MethodDescriptor::parse(descriptor) else {
            return Err(corrupt("a method descriptor"));
        };
        Ok(match method.return_type() {
            FieldType::Void => None,
            FieldType::Object(name) => Some(VType::Ref(self.names.intern(Cow::Borrowed(name)))),
            FieldType::Array { dims, elem } => {
                let name = &descriptor[descriptor.len() - elem.len() - usize::from(dims)..];
                Some(VType::Ref(self.names.intern(Cow::Borrowed(name))))
            }
            primitive => primitive_type(primitive.letter()),
        })
    }

    /// The Utf8 index of the descriptor that a Fieldref, Methodref, InterfaceMethodref, Dynamic or
    /// InvokeDynamic entry leads to, and of the name, and the index of the Class entry if it has one.
    pub(super) fn member(&self, index: u16) -> Result<Member, Stop<E>> {
        let pool = &self.cls.constant_pool;
        let (class, name_and_type) = match pool.get(index) {
            Constant::Fieldref { class, name_and_type }
            | Constant::Methodref { class, name_and_type }
            | Constant::InterfaceMethodref { class, name_and_type } => (class, name_and_type),
            Constant::Dynamic { name_and_type, .. }
            | Constant::InvokeDynamic { name_and_type, .. } => (0, name_and_type),
            _ => return Err(corrupt("a member reference")),
        };
        match pool.get(name_and_type) {
            Constant::NameAndType { name, descriptor } => Ok(Member { class, name, descriptor }),
            _ => Err(corrupt("a NameAndType")),
        }
    }

    /// Whether a value of type `from` is what is wanted (JVMS 4.10.1.2, `isAssignable`).
    #[inline]
    pub(super) fn is_wanted(&mut self, from: VType, want: Want) -> Result<bool, Stop<E>> {
        match want {
            Want::Type(to) => self.is_assignable(from, to),
            Want::Reference => Ok(from.is_reference() || from.is_uninitialized()),
            Want::Category1 => Ok(from.is_category1()),
            Want::Category2 => Ok(from.is_category2()),
        }
    }

    /// Whether a value of type `from` may be used as one of type `to`.
    #[inline]
    pub(super) fn is_assignable(&mut self, from: VType, to: VType) -> Result<bool, Stop<E>> {
        if from == to || to == VType::Top {
            return Ok(true);
        }
        self.is_assignable_slow(from, to, false)
    }

    /// As [`Self::is_assignable`] for the object through which a protected member is accessed.
    pub(super) fn is_protected_assignable(
        &mut self,
        from: VType,
        to: VType,
    ) -> Result<bool, Stop<E>> {
        self.is_assignable_slow(from, to, true)
    }

    fn is_assignable_slow(
        &mut self,
        mut from: VType,
        mut to: VType,
        protected_access: bool,
    ) -> Result<bool, Stop<E>> {
        let mut component = false;
        loop {
            if from == to || to == VType::Top {
                return Ok(true);
            }
            let (to_name, from_name) = match (to, from) {
                // an int may be returned as a boolean, byte, char or short, but not an array of them
                (VType::Boolean | VType::Byte | VType::Char | VType::Short, VType::Integer) => {
                    return Ok(!component);
                }
                (VType::Ref(_), VType::Null) => return Ok(true),
                (VType::Ref(to), VType::Ref(from)) => (to, from),
                _ => return Ok(false),
            };
            if self.names.is_object(to) {
                if to_name == self.known.object {
                    return Ok(true);
                }
                return self.ask_assignable(from_name, to_name, protected_access);
            }
            if !self.names.is_array(to) || !self.names.is_array(from) {
                return Ok(false);
            }
            from = self.names.component(from);
            to = self.names.component(to);
            if from == VType::Top || to == VType::Top {
                return Ok(false);
            }
            component = true;
        }
    }

    fn ask_assignable(
        &mut self,
        from: NameId,
        to: NameId,
        protected_access: bool,
    ) -> Result<bool, Stop<E>> {
        let question = (from, to, protected_access);
        if let Some(&answer) = self.assignable.get(&question) {
            return Ok(answer);
        }
        let answer = self
            .env
            .is_assignable(self.names.get(from), self.names.get(to), protected_access)
            .map_err(Stop::Pending)?;
        self.assignable.insert(question, answer);
        Ok(answer)
    }
}

/// Where a member reference leads: constant pool indices.
#[derive(Clone, Copy)]
pub(super) struct Member {
    /// Class; 0 for dynamic ones.
    pub class: u16,
    /// Utf8
    pub name: u16,
    /// Utf8
    pub descriptor: u16,
}

/// The class file holds what [`crate::classfile::parse`] rejects: reachable only when its format
/// checks were switched off.
pub(super) fn corrupt<E>(what: &str) -> Stop<E> {
    Stop::Failure(Box::new(Failure {
        class: CLASS_FORMAT_ERROR,
        message: format!("Verifier met {what} that is not well-formed").into_bytes(),
        may_fail_over: false,
    }))
}
