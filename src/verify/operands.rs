//! What instructions do to the frame: loads, stores, arrays, operand stack shuffles, constants,
//! switches and returns (JVMS 4.10.1.9).

use super::error::{Fault, Origin, Place};
use super::method::MethodVerifier;
use super::opcodes as op;
use super::types::{NameId, VType, Want};
use super::Stop;
use crate::classfile::tag;

/// The most dimensions that an array may have (JVMS 4.3.2).
const MAX_ARRAY_DIMENSIONS: usize = 255;

impl<E> MethodVerifier<'_, '_, '_, E> {
    pub(super) fn load(&mut self, index: u16, ty: VType) -> Result<(), Stop<E>> {
        self.local(index, Want::Type(ty))?;
        self.push(ty)
    }

    pub(super) fn load2(&mut self, index: u16, first: VType, second: VType) -> Result<(), Stop<E>> {
        self.local2(index, first, second)?;
        self.push2(first, second)
    }

    pub(super) fn aload(&mut self, index: u16) -> Result<(), Stop<E>> {
        let ty = self.local(index, Want::Reference)?;
        self.push(ty)
    }

    pub(super) fn store(&mut self, index: u16, ty: VType) -> Result<(), Stop<E>> {
        self.pop(ty)?;
        self.set_local(index, ty)
    }

    pub(super) fn store2(
        &mut self,
        index: u16,
        first: VType,
        second: VType,
    ) -> Result<(), Stop<E>> {
        self.pop2(second, first)?;
        self.set_local2(index, first, second)
    }

    pub(super) fn astore(&mut self, index: u16) -> Result<(), Stop<E>> {
        let ty = self.pop_reference()?;
        self.set_local(index, ty)
    }

    /// A value of the wrong type was popped, where the instruction checks more than the pop does.
    #[cold]
    pub(super) fn bad_operand(&self, opcode: u8, wanted: Option<Want>) -> Stop<E> {
        let fault = Fault::Type(self.frame.popped(), wanted.map(Origin::implicit));
        self.fail(fault, format!("Bad type on operand stack in {}", op::name(opcode)))
    }

    /// Pops null or an array whose component descriptors start with one of `components`.
    pub(super) fn pop_array(
        &mut self,
        opcode: u8,
        components: &'static [u8],
    ) -> Result<VType, Stop<E>> {
        let array = self.pop_reference()?;
        if components.iter().any(|&component| self.class.names.is_array_of(array, component)) {
            return Ok(array);
        }
        let wanted = match components {
            b"L[" => Some(Want::Reference),
            [primitive] => {
                let name = vec![b'[', *primitive];
                Some(Want::Type(VType::Ref(self.class.names.intern(name.into()))))
            }
            _ => None,
        };
        Err(self.bad_operand(opcode, wanted))
    }

    pub(super) fn array_load(
        &mut self,
        opcode: u8,
        components: &'static [u8],
        element: VType,
    ) -> Result<(), Stop<E>> {
        self.pop(VType::Integer)?;
        self.pop_array(opcode, components)?;
        match element.second() {
            Some(second) => self.push2(element, second),
            None => self.push(element),
        }
    }

    pub(super) fn array_store(
        &mut self,
        opcode: u8,
        components: &'static [u8],
        element: VType,
    ) -> Result<(), Stop<E>> {
        match element.second() {
            Some(second) => self.pop2(second, element)?,
            None => {
                self.pop(element)?;
            }
        }
        self.pop(VType::Integer)?;
        self.pop_array(opcode, components)?;
        Ok(())
    }

    /// Pops a long or double or two one-slot values; returns the lower slot and the upper.
    pub(super) fn pop_pair(&mut self, opcode: u8) -> Result<(VType, VType), Stop<E>> {
        let upper = self.pop_any()?;
        let lower = if upper.is_category1() {
            self.pop_want(Want::Category1)?
        } else if upper.is_category2_2nd() {
            self.pop_want(Want::Category2)?
        } else {
            return Err(self.bad_operand(opcode, None));
        };
        Ok((lower, upper))
    }

    pub(super) fn push_all(&mut self, types: &[VType]) -> Result<(), Stop<E>> {
        types.iter().try_for_each(|&ty| self.push(ty))
    }

    /// Pops the value to be returned, of which these are the slots.
    pub(super) fn return_value(&mut self, slots: &[VType]) -> Result<bool, Stop<E>> {
        for &slot in slots.iter().rev() {
            self.pop(slot)?;
        }
        self.check_return_type(slots[0])?;
        Ok(false)
    }

    pub(super) fn check_return_type(&mut self, ty: VType) -> Result<(), Stop<E>> {
        let expected = self.return_type;
        let reason = match expected {
            None => "Method does not expect a return value",
            Some(expected) if self.class.is_assignable(ty, expected)? => return Ok(()),
            Some(_) => "Bad return type",
        };
        let expected = Origin {
            ty: Want::Type(expected.unwrap_or(VType::Top)),
            place: Place::Signature,
            frame: None,
        };
        Err(self.fail(Fault::Type(self.frame.popped(), Some(expected)), reason))
    }

    /// ldc, ldc_w, and ldc2_w if `two_slots` (JVMS 4.9.1, 4.10.1.9.ldc).
    pub(super) fn ldc(&mut self, index: u16, two_slots: bool) -> Result<(), Stop<E>> {
        let one_slot_kinds = &[
            tag::INTEGER,
            tag::FLOAT,
            tag::STRING,
            tag::CLASS,
            tag::METHOD_HANDLE,
            tag::METHOD_TYPE,
            tag::DYNAMIC,
        ];
        let kinds: &[u8] =
            if two_slots { &[tag::DOUBLE, tag::LONG, tag::DYNAMIC] } else { one_slot_kinds };
        let ty = match self.check_constant(index, kinds)? {
            tag::INTEGER => VType::Integer,
            tag::FLOAT => VType::Float,
            tag::DOUBLE => return self.push2(VType::Double, VType::Double2),
            tag::LONG => return self.push2(VType::Long, VType::Long2),
            tag::STRING => VType::Ref(self.class.known.string),
            tag::CLASS => VType::Ref(self.class.known.class),
            tag::METHOD_HANDLE => VType::Ref(self.class.known.method_handle),
            tag::METHOD_TYPE => VType::Ref(self.class.known.method_type),
            _ => return self.ldc_dynamic(index, two_slots),
        };
        self.push(ty)
    }

    pub(super) fn ldc_dynamic(&mut self, index: u16, two_slots: bool) -> Result<(), Stop<E>> {
        let descriptor = self.class.member(index)?.descriptor;
        let range = self.class.signature(descriptor)?.result_range();
        if range.len() != if two_slots { 2 } else { 1 } {
            self.check_constant(index, &[])?; // the wrong kind of ldc
        }
        for at in range {
            self.push(self.class.signature_types[at])?;
        }
        Ok(())
    }

    pub(super) fn switch(&mut self, opcode: u8, bci: usize) -> Result<(), Stop<E>> {
        let code = self.code.code;
        let operands = op::aligned(bci);
        if self.class.cls.major_version < 51
            && code[bci + 1..operands].iter().any(|&padding| padding != 0)
        {
            let text = "Nonzero padding byte in lookupswitch or tableswitch";
            return Err(self.bad_code(text));
        }
        self.pop(VType::Integer)?;
        let second = op::i32_at(code, operands + 4);
        let (keys, step) = if opcode == op::TABLESWITCH {
            let high = i64::from(op::i32_at(code, operands + 8));
            let keys = high - i64::from(second) + 1;
            if keys > 65535 {
                return Err(self.bad_code("too many keys in tableswitch"));
            }
            (keys as usize, 4)
        } else {
            let keys = second as usize;
            let key = |index: usize| op::i32_at(code, operands + 8 + index * 8);
            if (1..keys).any(|index| key(index - 1) >= key(index)) {
                return Err(self.bad_code("Bad lookupswitch instruction"));
            }
            (keys, 8)
        };
        self.check_jump(bci, op::i32_at(code, operands))?;
        for index in 0..keys {
            self.check_jump(bci, op::i32_at(code, operands + 12 + index * step))?;
        }
        Ok(())
    }

    /// The array type that a `newarray` operand stands for (JVMS table 6.5.newarray-A).
    pub(super) fn newarray_type(&mut self, code: u16) -> Result<NameId, Stop<E>> {
        let name: &'static [u8] = match code {
            4 => b"[Z",
            5 => b"[C",
            6 => b"[F",
            7 => b"[D",
            8 => b"[B",
            9 => b"[S",
            10 => b"[I",
            11 => b"[J",
            _ => return Err(self.bad_code("Illegal newarray instruction")),
        };
        Ok(self.class.names.intern(name.into()))
    }

    pub(super) fn anewarray(&mut self, index: u16) -> Result<(), Stop<E>> {
        let component = self.class_constant(index)?;
        self.pop(VType::Integer)?;
        if self.class.names.dimensions(VType::Ref(component)) >= MAX_ARRAY_DIMENSIONS {
            let text = "Illegal anewarray instruction, array has more than 255 dimensions";
            return Err(self.bad_code(text));
        }
        let array = self.class.names.array_of(component);
        self.push(VType::Ref(array))
    }

    pub(super) fn multianewarray(&mut self, index: u16, dimensions: u8) -> Result<(), Stop<E>> {
        let array = VType::Ref(self.class_constant(index)?);
        if !self.class.names.is_array(array) {
            let fault = Fault::Type(Origin::constant(index, array), None);
            let text = "Illegal constant pool index in multianewarray instruction";
            return Err(self.fail(fault, text));
        }
        if dimensions < 1 || self.class.names.dimensions(array) < usize::from(dimensions) {
            let text = format!("Illegal dimension in multianewarray instruction: {dimensions}");
            return Err(self.bad_code(&text));
        }
        for _ in 0..dimensions {
            self.pop(VType::Integer)?;
        }
        self.push(array)
    }
}
