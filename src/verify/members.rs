//! The instructions that name fields and methods (JVMS 4.10.1.8 and 4.10.1.9).

use super::class::{corrupt, Member};
use super::error::{Fault, Origin};
use super::method::MethodVerifier;
use super::opcodes as op;
use super::types::{NameId, VType, Want};
use super::Stop;
use crate::classfile::tag;

/// The first class file version in which interfaces may have static and private methods.
const STATIC_METHOD_IN_INTERFACE_MAJOR_VERSION: u16 = 52;
/// The first class file version with invokedynamic.
const INVOKEDYNAMIC_MAJOR_VERSION: u16 = 51;

impl<E> MethodVerifier<'_, '_, '_, E> {
    /// getstatic, putstatic, getfield, putfield of the Fieldref at `index`.
    pub(super) fn field_instruction(&mut self, opcode: u8, index: u16) -> Result<(), Stop<E>> {
        self.check_constant(index, &[tag::FIELDREF])?;
        let member = self.class.member(index)?;
        let class = self.class.class_name(member.class)?;
        let class_type = VType::Ref(class);
        let is_static = matches!(opcode, op::GETSTATIC | op::PUTSTATIC);
        let names = &self.class.names;
        if !(names.is_object(class_type) || is_static && names.is_array(class_type)) {
            let fault = Fault::Type(Origin::constant(index, class_type), None);
            let mut text = b"Expecting reference to class in class ".to_vec();
            text.extend(self.external_class_name());
            text.extend(format!(" at constant pool index {index}").bytes());
            return Err(self.fail(fault, text));
        }
        let field = self.class.signature(member.descriptor)?.result_range();
        match opcode {
            op::GETSTATIC => self.push_signature(field),
            op::PUTSTATIC => self.pop_signature(field),
            op::GETFIELD => {
                let object = self.pop(class_type)?;
                self.check_protected_field(opcode, class, member, object)?;
                self.push_signature(field)
            }
            _ => {
                self.pop_signature(field)?;
                let mut object = self.pop_any()?;
                // A constructor may set its own class's fields before it calls another one.
                if object == VType::UninitializedThis
                    && class == self.class.this_name
                    && self.declares_field(member)
                {
                    object = self.class.this_type();
                }
                if !self.class.is_assignable(object, class_type)? {
                    let wanted = Origin::constant(index, class_type);
                    let fault = Fault::Type(self.frame.popped(), Some(wanted));
                    return Err(self.fail(fault, "Bad type on operand stack in putfield"));
                }
                self.check_protected_field(opcode, class, member, object)
            }
        }
    }

    fn push_signature(&mut self, types: std::ops::Range<usize>) -> Result<(), Stop<E>> {
        for at in types {
            self.push(self.class.signature_types[at])?;
        }
        Ok(())
    }

    fn pop_signature(&mut self, types: std::ops::Range<usize>) -> Result<(), Stop<E>> {
        for at in types.rev() {
            self.pop(self.class.signature_types[at])?;
        }
        Ok(())
    }

    fn declares_field(&self, member: Member) -> bool {
        let pool = &self.class.cls.constant_pool;
        let (name, descriptor) = (pool.utf8(member.name), pool.utf8(member.descriptor));
        let mut fields = self.class.cls.fields.iter();
        fields.any(|field| Some(field.name) == name && Some(field.descriptor) == descriptor)
    }

    /// A protected field of a superclass in another package may only be accessed through an object
    /// of the class being verified (JVMS 4.10.1.8).
    fn check_protected_field(
        &mut self,
        opcode: u8,
        class: NameId,
        member: Member,
        object: VType,
    ) -> Result<(), Stop<E>> {
        let this_type = self.class.this_type();
        if object == this_type || !self.is_superclass(class) {
            return Ok(());
        }
        let pool = &self.class.cls.constant_pool;
        let (Some(name), Some(descriptor)) = (pool.utf8(member.name), pool.utf8(member.descriptor))
        else {
            return Err(corrupt("a field reference"));
        };
        let restricted = self
            .class
            .env
            .is_protected_field(self.class.names.get(class), name, descriptor)
            .map_err(Stop::Pending)?;
        if !restricted || self.class.is_protected_assignable(object, this_type)? {
            return Ok(());
        }
        let text = format!("Bad access to protected data in {}", op::name(opcode));
        Err(self.bad_protected_access(&text))
    }

    fn bad_protected_access(&self, text: &str) -> Stop<E> {
        let wanted = Origin::implicit(Want::Type(self.class.this_type()));
        self.fail(Fault::Type(self.frame.popped(), Some(wanted)), text)
    }

    fn is_superclass(&mut self, class: NameId) -> bool {
        self.class.env.is_superclass_name(self.class.names.get(class))
    }

    /// Whether calls of the method that `member` names are restricted by JVMS 4.10.1.8.
    fn is_protected_method(&mut self, class: NameId, member: Member) -> Result<bool, Stop<E>> {
        let pool = &self.class.cls.constant_pool;
        let (Some(name), Some(descriptor)) = (pool.utf8(member.name), pool.utf8(member.descriptor))
        else {
            return Err(corrupt("a method reference"));
        };
        self.class
            .env
            .is_protected_method(self.class.names.get(class), name, descriptor)
            .map_err(Stop::Pending)
    }

    /// The invoke instructions, of the method or call site at `index`.
    pub(super) fn invoke_instruction(
        &mut self,
        opcode: u8,
        index: u16,
        bci: usize,
    ) -> Result<(), Stop<E>> {
        let version = self.class.cls.major_version;
        let kinds: &[u8] = match opcode {
            op::INVOKEINTERFACE => &[tag::INTERFACE_METHODREF],
            op::INVOKEDYNAMIC => &[tag::INVOKE_DYNAMIC],
            op::INVOKESPECIAL | op::INVOKESTATIC
                if version >= STATIC_METHOD_IN_INTERFACE_MAJOR_VERSION =>
            {
                &[tag::METHODREF, tag::INTERFACE_METHODREF]
            }
            _ => &[tag::METHODREF],
        };
        let kind = self.check_constant(index, kinds)?;
        let member = self.class.member(index)?;
        if opcode == op::INVOKEDYNAMIC && version < INVOKEDYNAMIC_MAJOR_VERSION {
            let text = format!(
                "invokedynamic instructions not supported by this class file version ({version}), \
                 class "
            );
            let text = [text.as_bytes(), &self.external_class_name()].concat();
            return Err(self.class_format_error(text));
        }
        let signature = self.class.signature(member.descriptor)?;
        self.check_operand_bytes(opcode, bci, signature.arguments)?;

        let Some(name) = self.class.cls.constant_pool.utf8(member.name) else {
            return Err(corrupt("a method reference"));
        };
        // Only of use where there is a class, that is, not for invokedynamic.
        let class = match opcode {
            op::INVOKEDYNAMIC => self.class.known.object,
            _ => self.class.class_name(member.class)?,
        };
        let is_init = name == b"<init>";
        if name.first() == Some(&b'<') {
            if opcode != op::INVOKESPECIAL || !is_init {
                return Err(self.bad_code("Illegal call to internal method"));
            }
        } else if opcode == op::INVOKESPECIAL {
            self.check_special_class(class, kind)?;
        }

        self.pop_signature(signature.argument_range())?;
        match opcode {
            op::INVOKESTATIC | op::INVOKEDYNAMIC => {}
            op::INVOKESPECIAL if is_init => self.invoke_init(index, class, member, bci)?,
            op::INVOKESPECIAL => {
                self.pop(self.class.this_type())?;
            }
            op::INVOKEVIRTUAL => self.pop_receiver(class, member, name)?,
            _ => {
                self.pop(VType::Ref(class))?;
            }
        }
        if is_init && !signature.result_range().is_empty() {
            return Err(self.bad_code("Return type must be void in <init> method"));
        }
        self.push_signature(signature.result_range())
    }

    /// The operand bytes after the constant pool index.
    fn check_operand_bytes(&self, opcode: u8, bci: usize, arguments: u16) -> Result<(), Stop<E>> {
        let operand = |at: usize| self.code.code[bci + at];
        match opcode {
            op::INVOKEINTERFACE if u16::from(operand(3)) != arguments + 1 => {
                Err(self.bad_code("Inconsistent args count operand in invokeinterface"))
            }
            op::INVOKEINTERFACE if operand(4) != 0 => {
                Err(self.bad_code("Fourth operand byte of invokeinterface must be zero"))
            }
            op::INVOKEDYNAMIC if operand(3) != 0 || operand(4) != 0 => {
                Err(self.bad_code("Third and fourth operand bytes of invokedynamic must be zero"))
            }
            _ => Ok(()),
        }
    }

    /// invokespecial of a method other than a constructor: in this class, a superclass or a direct
    /// superinterface (JVMS 4.10.1.9.invokespecial).
    fn check_special_class(&mut self, class: NameId, kind: u8) -> Result<(), Stop<E>> {
        if class == self.class.this_name || Some(class) == self.class.super_name {
            return Ok(());
        }
        let name = self.class.names.get(class);
        if self.class.cls.interface_names().any(|interface| interface == name) {
            return Ok(());
        }
        if !self.class.is_assignable(self.class.this_type(), VType::Ref(class))? {
            return Err(self.bad_code(
                "Bad invokespecial instruction: current class isn't assignable to reference class.",
            ));
        }
        if kind == tag::INTERFACE_METHODREF {
            return Err(self.bad_code(
                "Bad invokespecial instruction: interface method reference is in an indirect \
                 superinterface.",
            ));
        }
        Ok(())
    }

    /// The receiver of invokevirtual.
    fn pop_receiver(&mut self, class: NameId, member: Member, name: &[u8]) -> Result<(), Stop<E>> {
        let object = self.pop(VType::Ref(class))?;
        let this_type = self.class.this_type();
        if object == this_type || !self.is_superclass(class) {
            return Ok(());
        }
        if !self.is_protected_method(class, member)? {
            return Ok(());
        }
        // Arrays pretend to have a public clone().
        let array_clone = class == self.class.known.object
            && name == b"clone"
            && self.class.names.is_array(object);
        if array_clone || self.class.is_protected_assignable(object, this_type)? {
            return Ok(());
        }
        Err(self.bad_protected_access("Bad access to protected data in invokevirtual"))
    }

    /// A constructor call: the uninitialized object is initialized afterwards.
    fn invoke_init(
        &mut self,
        index: u16,
        class: NameId,
        member: Member,
        bci: usize,
    ) -> Result<(), Stop<E>> {
        let class_type = VType::Ref(class);
        let this_type = self.class.this_type();
        match self.pop_reference()? {
            VType::UninitializedThis => {
                if class != self.class.this_name && Some(class) != self.class.super_name {
                    let fault = Fault::Type(
                        Origin::implicit(Want::Type(class_type)),
                        Some(Origin::implicit(Want::Type(this_type))),
                    );
                    return Err(self.fail(fault, "Bad <init> method call"));
                }
                // Handlers get the object as it was before the call, and may not return it.
                if self.is_covered(bci) {
                    self.check_handlers_throw(bci)?;
                    self.check_handlers(bci, true)?;
                }
                self.frame.initialize(VType::UninitializedThis, this_type);
                self.this_initialized = true;
            }
            object @ VType::Uninitialized(new_bci) => {
                let new_index = op::u16_at(self.code.code, usize::from(new_bci) + 1);
                let new_type = VType::Ref(self.class_constant(new_index)?);
                if new_type != class_type {
                    let fault = Fault::Type(
                        Origin::constant(new_index, new_type),
                        Some(Origin::constant(index, class_type)),
                    );
                    return Err(self.fail(fault, "Call to wrong <init> method"));
                }
                if self.is_superclass(class)
                    && self.is_protected_method(class, member)?
                    && !self.class.is_protected_assignable(new_type, this_type)?
                {
                    let fault = Fault::Type(
                        Origin::constant(new_index, new_type),
                        Some(Origin::implicit(Want::Type(this_type))),
                    );
                    return Err(self.fail(fault, "Bad access to protected <init> method"));
                }
                if self.is_covered(bci) {
                    self.check_handlers(bci, self.this_initialized)?;
                }
                self.frame.initialize(object, new_type);
            }
            _ => {
                let fault = Fault::Type(self.frame.popped(), None);
                return Err(self.fail(fault, "Bad operand type when invoking <init>"));
            }
        }
        Ok(())
    }
}
