//! The pass over a method's code (JVMS 4.10.1.6 to 4.10.1.9).

use super::class::{corrupt, ClassVerifier};
use super::error::{class_format_message, external_name, message, Fault, Origin};
use super::frame::Frame;
use super::opcodes::{self as op, Instruction};
use super::stackmap::StackMapTable;
use super::types::{NameId, VType, Want};
use super::{Failure, Stop, CLASS_FORMAT_ERROR, VERIFY_ERROR};
use crate::classfile::{tag, Code, ExceptionTableEntry, MemberInfo};

/// In [`MethodVerifier::starts`]: an instruction starts here.
pub(super) const INSTRUCTION_START: u8 = 1;
/// In [`MethodVerifier::starts`]: a `new` instruction starts here.
pub(super) const NEW_START: u8 = 2;

/// The verification of a method.
pub(super) struct MethodVerifier<'c, 'v, 'a, E> {
    pub class: &'c mut ClassVerifier<'v, 'a, E>,
    pub method: &'v MemberInfo<'a>,
    pub code: &'v Code<'a>,
    /// The current frame.
    pub frame: Frame,
    /// The decoded StackMapTable.
    pub map: StackMapTable,
    /// For each byte of the code what starts there: 0 (nothing), or one of the constants above.
    pub starts: Vec<u8>,
    /// What the method returns; `None`: nothing.
    pub return_type: Option<VType>,
    /// The part of the code that exception handlers cover lies in this range.
    covered: std::ops::Range<usize>,
    /// The instruction at hand has called a constructor on `this`.
    pub this_initialized: bool,
}

impl<'c, 'v, 'a, E> MethodVerifier<'c, 'v, 'a, E> {
    /// Prepares the verification of `method` with `code`, of the class that `class` verifies.
    pub(super) fn new(
        class: &'c mut ClassVerifier<'v, 'a, E>,
        method: &'v MemberInfo<'a>,
        code: &'v Code<'a>,
    ) -> Self {
        let scratch = std::mem::take(&mut class.scratch);
        MethodVerifier {
            class,
            method,
            code,
            frame: scratch.frame,
            map: scratch.stack_map,
            starts: scratch.starts,
            return_type: None,
            covered: 0..0,
            this_initialized: false,
        }
    }

    /// Verifies the method.
    pub(super) fn verify(mut self) -> Result<(), Stop<E>> {
        self.enter()?;
        self.find_instructions()?;
        self.check_exception_table()?;
        self.check_local_variable_table()?;
        self.decode_stack_map_table()?;
        self.verify_code()?;
        self.class.scratch.frame = self.frame;
        self.class.scratch.stack_map = self.map;
        self.class.scratch.starts = self.starts;
        Ok(())
    }

    /// A VerifyError at `bci`. Reasons are in modified UTF-8.
    #[cold]
    pub(super) fn fail_at(&self, bci: i32, fault: Fault, reason: impl AsRef<[u8]>) -> Stop<E> {
        let names = &self.class.names;
        let class = names.get(self.class.this_name);
        Stop::Failure(Box::new(Failure {
            class: VERIFY_ERROR,
            message: message(reason.as_ref(), class, self.method, self.code, bci, &fault, names),
            may_fail_over: true,
        }))
    }

    /// A VerifyError at the current instruction.
    #[cold]
    pub(super) fn fail(&self, fault: Fault, reason: impl AsRef<[u8]>) -> Stop<E> {
        self.fail_at(self.frame.offset, fault, reason)
    }

    /// A VerifyError because of the current instruction itself.
    #[cold]
    pub(super) fn bad_code(&self, reason: &str) -> Stop<E> {
        self.fail(Fault::Bytecode, reason)
    }

    /// A ClassFormatError in this method.
    #[cold]
    pub(super) fn class_format_error(&self, reason: impl AsRef<[u8]>) -> Stop<E> {
        let class = self.external_class_name();
        Stop::Failure(Box::new(Failure {
            class: CLASS_FORMAT_ERROR,
            message: class_format_message(reason.as_ref(), &class, self.method),
            may_fail_over: true,
        }))
    }

    /// The name of the class being verified as in Java.
    pub(super) fn external_class_name(&self) -> Vec<u8> {
        external_name(self.class.names.get(self.class.this_name), self.class.hidden)
    }

    /// A VerifyError whose text is `reason` followed by the class's name.
    #[cold]
    fn fail_naming_class(&self, fault: Fault, reason: &str) -> Stop<E> {
        self.fail(fault, [reason.as_bytes(), &self.external_class_name()].concat())
    }

    /// Sets up the frame at the method's entry (JVMS 4.10.1.6).
    fn enter(&mut self) -> Result<(), Stop<E>> {
        let (max_locals, max_stack) = (self.code.max_locals, self.code.max_stack);
        self.frame.reset(usize::from(max_locals), usize::from(max_stack));
        self.return_type = self.class.return_type(self.method.descriptor)?;
        let signature = self.class.signature(self.method.descriptor_index)?;
        let receiver = usize::from(!self.method.is_static());
        let size = receiver + usize::from(signature.arguments);
        if size > self.frame.locals.len() {
            return Err(corrupt("a method whose arguments do not fit its locals"));
        }
        if receiver == 1 {
            let constructor = self.method.name == b"<init>";
            if constructor && self.class.this_name != self.class.known.object {
                self.frame.locals[0] = VType::UninitializedThis;
                self.frame.this_uninit = true;
            } else {
                self.frame.locals[0] = self.class.this_type();
            }
        }
        let arguments = &self.class.signature_types[signature.argument_range()];
        self.frame.locals[receiver..size].copy_from_slice(arguments);
        self.frame.locals_size = size;
        Ok(())
    }

    /// Finds where instructions start (JVMS 4.9.1).
    fn find_instructions(&mut self) -> Result<(), Stop<E>> {
        let code = self.code.code;
        self.starts.clear();
        self.starts.resize(code.len(), 0);
        let mut bci = 0;
        while bci < code.len() {
            let Some(instruction) = op::decode(code, bci) else {
                return Err(self.fail_at(bci as i32, Fault::Bytecode, "Bad instruction"));
            };
            self.starts[bci] =
                if instruction.opcode == op::NEW { NEW_START } else { INSTRUCTION_START };
            bci += instruction.length;
        }
        Ok(())
    }

    fn check_exception_table(&mut self) -> Result<(), Stop<E>> {
        let length = self.code.code.len();
        self.covered = length..0;
        for entry in &self.code.exception_table {
            let ExceptionTableEntry { start_pc, end_pc, handler_pc, catch_type } = *entry;
            let (start, end) = (usize::from(start_pc), usize::from(end_pc));
            if !self.is_start(start) {
                let text = format!("Illegal exception table start_pc {start_pc}");
                return Err(self.class_format_error(&text));
            }
            if end != length && !self.is_start(end) {
                let text = format!("Illegal exception table end_pc {end_pc}");
                return Err(self.class_format_error(&text));
            }
            if !self.is_start(usize::from(handler_pc)) {
                let text = format!("Illegal exception table handler_pc {handler_pc}");
                return Err(self.class_format_error(&text));
            }
            if catch_type != 0 {
                self.check_catch_type(handler_pc, catch_type)?;
            }
            self.covered.start = self.covered.start.min(start);
            self.covered.end = self.covered.end.max(end);
        }
        Ok(())
    }

    fn check_catch_type(&mut self, handler_pc: u16, catch_type: u16) -> Result<(), Stop<E>> {
        let name = self.class.class_name(catch_type)?;
        let (caught, throwable) = (VType::Ref(name), VType::Ref(self.class.known.throwable));
        if caught == throwable {
            // So that catching an OutOfMemoryError need not load anything; a class loader sees it.
            self.class.env.load(self.class.names.get(name)).map_err(Stop::Pending)?;
        }
        if self.class.is_assignable(caught, throwable)? {
            return Ok(());
        }
        let fault = Fault::Type(
            Origin::constant(catch_type, caught),
            Some(Origin::implicit(Want::Type(throwable))),
        );
        let text =
            format!("Catch type is not a subclass of Throwable in exception handler {handler_pc}");
        Err(self.fail_at(i32::from(handler_pc), fault, &text))
    }

    fn check_local_variable_table(&self) -> Result<(), Stop<E>> {
        let code_length = self.code.code.len();
        for variable in &self.code.local_variables {
            let (start, length) = (variable.start_pc, variable.length);
            if !self.is_start(usize::from(start)) {
                let text = format!("Illegal local variable table start_pc {start}");
                return Err(self.class_format_error(&text));
            }
            let end = usize::from(start) + usize::from(length);
            if end != code_length && !self.is_start(end) {
                let text = format!("Illegal local variable table length {length}");
                return Err(self.class_format_error(&text));
            }
        }
        Ok(())
    }

    fn verify_code(&mut self) -> Result<(), Stop<E>> {
        let code = self.code.code;
        let mut bci = 0;
        let mut next_frame = 0;
        let mut reachable = true;
        while bci < code.len() {
            let Some(instruction) = op::decode(code, bci) else {
                return Err(self.fail_at(bci as i32, Fault::Bytecode, "Bad instruction"));
            };
            self.frame.begin(bci);
            next_frame = self.merge_stack_map(next_frame, bci, reachable)?;
            self.this_initialized = false;
            let covered = self.is_covered(bci);
            // A store changes the locals after the point at which an exception could be thrown.
            let store = matches!(instruction.opcode, op::ISTORE..=op::ASTORE_3);
            if covered && store {
                self.check_handlers(bci, false)?;
            }
            reachable = self.instruction(instruction, bci)?;
            if covered && !store {
                self.check_handlers(bci, self.this_initialized)?;
            }
            bci += instruction.length;
        }
        if reachable {
            let end = code.len() as i32;
            return Err(self.fail_at(end, Fault::Bytecode, "Control flow falls through code end"));
        }
        Ok(())
    }

    /// Whether exception handlers may cover the instruction at `bci`.
    pub(super) fn is_covered(&self, bci: usize) -> bool {
        self.covered.contains(&bci)
    }

    /// Checks that an exception thrown at `bci`, with the current locals, may arrive at each of its
    /// handlers; `this` counts as uninitialized there if `this_uninit` says so.
    pub(super) fn check_handlers(&mut self, bci: usize, this_uninit: bool) -> Result<(), Stop<E>> {
        for entry in &self.code.exception_table {
            if bci < usize::from(entry.start_pc) || bci >= usize::from(entry.end_pc) {
                continue;
            }
            let thrown = match entry.catch_type {
                0 => self.class.known.throwable,
                index => self.class.class_name(index)?,
            };
            let this_uninit = this_uninit || self.frame.this_uninit;
            self.check_handler(entry.handler_pc, VType::Ref(thrown), this_uninit)?;
        }
        Ok(())
    }

    /// Applies one instruction to the frame. Returns whether control can go on to the next one.
    fn instruction(&mut self, instruction: Instruction, bci: usize) -> Result<bool, Stop<E>> {
        use VType::{Double, Double2, Float, Integer, Long, Long2, Null};
        let Instruction { opcode, wide, .. } = instruction;
        let code = self.code.code;
        let index_u2 = || op::u16_at(code, bci + 1);
        let index = || if wide { op::u16_at(code, bci + 2) } else { code[bci + 1].into() };
        let short_branch = || i32::from(index_u2() as i16);
        match opcode {
            op::NOP => {}
            op::ACONST_NULL => self.push(Null)?,
            op::ICONST_M1..=op::ICONST_5 | op::BIPUSH | op::SIPUSH => self.push(Integer)?,
            op::LCONST_0 | op::LCONST_1 => self.push2(Long, Long2)?,
            op::FCONST_0..=op::FCONST_2 => self.push(Float)?,
            op::DCONST_0 | op::DCONST_1 => self.push2(Double, Double2)?,
            op::LDC => self.ldc(index(), false)?,
            op::LDC_W => self.ldc(index_u2(), false)?,
            op::LDC2_W => self.ldc(index_u2(), true)?,

            op::ILOAD => self.load(index(), Integer)?,
            op::ILOAD_0..=op::ILOAD_3 => self.load((opcode - op::ILOAD_0).into(), Integer)?,
            op::LLOAD => self.load2(index(), Long, Long2)?,
            op::LLOAD_0..=op::LLOAD_3 => {
                self.load2((opcode - op::LLOAD_0).into(), Long, Long2)?;
            }
            op::FLOAD => self.load(index(), Float)?,
            op::FLOAD_0..=op::FLOAD_3 => self.load((opcode - op::FLOAD_0).into(), Float)?,
            op::DLOAD => self.load2(index(), Double, Double2)?,
            op::DLOAD_0..=op::DLOAD_3 => {
                self.load2((opcode - op::DLOAD_0).into(), Double, Double2)?;
            }
            op::ALOAD => self.aload(index())?,
            op::ALOAD_0..=op::ALOAD_3 => self.aload((opcode - op::ALOAD_0).into())?,

            op::IALOAD => self.array_load(opcode, b"I", Integer)?,
            op::LALOAD => self.array_load(opcode, b"J", Long)?,
            op::FALOAD => self.array_load(opcode, b"F", Float)?,
            op::DALOAD => self.array_load(opcode, b"D", Double)?,
            op::BALOAD => self.array_load(opcode, b"ZB", Integer)?,
            op::CALOAD => self.array_load(opcode, b"C", Integer)?,
            op::SALOAD => self.array_load(opcode, b"S", Integer)?,
            op::AALOAD => {
                self.pop(Integer)?;
                let component = match self.pop_array(opcode, b"L[")? {
                    Null => Null,
                    array => self.class.names.component(array),
                };
                self.push(component)?;
            }

            op::ISTORE => self.store(index(), Integer)?,
            op::ISTORE_0..=op::ISTORE_3 => self.store((opcode - op::ISTORE_0).into(), Integer)?,
            op::LSTORE => self.store2(index(), Long, Long2)?,
            op::LSTORE_0..=op::LSTORE_3 => {
                self.store2((opcode - op::LSTORE_0).into(), Long, Long2)?;
            }
            op::FSTORE => self.store(index(), Float)?,
            op::FSTORE_0..=op::FSTORE_3 => self.store((opcode - op::FSTORE_0).into(), Float)?,
            op::DSTORE => self.store2(index(), Double, Double2)?,
            op::DSTORE_0..=op::DSTORE_3 => {
                self.store2((opcode - op::DSTORE_0).into(), Double, Double2)?;
            }
            op::ASTORE => self.astore(index())?,
            op::ASTORE_0..=op::ASTORE_3 => self.astore((opcode - op::ASTORE_0).into())?,

            op::IASTORE => self.array_store(opcode, b"I", Integer)?,
            op::LASTORE => self.array_store(opcode, b"J", Long)?,
            op::FASTORE => self.array_store(opcode, b"F", Float)?,
            op::DASTORE => self.array_store(opcode, b"D", Double)?,
            op::BASTORE => self.array_store(opcode, b"ZB", Integer)?,
            op::CASTORE => self.array_store(opcode, b"C", Integer)?,
            op::SASTORE => self.array_store(opcode, b"S", Integer)?,
            // whether the element fits is checked when it runs
            op::AASTORE => {
                let object = VType::Ref(self.class.known.object);
                self.array_store(opcode, b"L[", object)?;
            }

            op::POP => {
                self.pop_want(Want::Category1)?;
            }
            op::POP2 => {
                self.pop_pair(opcode)?;
            }
            op::DUP => {
                let top = self.pop_want(Want::Category1)?;
                self.push_all(&[top, top])?;
            }
            op::DUP_X1 => {
                let top = self.pop_want(Want::Category1)?;
                let second = self.pop_want(Want::Category1)?;
                self.push_all(&[top, second, top])?;
            }
            op::DUP_X2 => {
                let top = self.pop_want(Want::Category1)?;
                let (third, second) = self.pop_pair(opcode)?;
                self.push_all(&[top, third, second, top])?;
            }
            op::DUP2 => {
                let (second, top) = self.pop_pair(opcode)?;
                self.push_all(&[second, top, second, top])?;
            }
            op::DUP2_X1 => {
                let (second, top) = self.pop_pair(opcode)?;
                let third = self.pop_want(Want::Category1)?;
                self.push_all(&[second, top, third, second, top])?;
            }
            op::DUP2_X2 => {
                let (second, top) = self.pop_pair(opcode)?;
                let (fourth, third) = self.pop_pair(opcode)?;
                self.push_all(&[second, top, fourth, third, second, top])?;
            }
            op::SWAP => {
                let top = self.pop_want(Want::Category1)?;
                let second = self.pop_want(Want::Category1)?;
                self.push_all(&[top, second])?;
            }

            op::IADD
            | op::ISUB
            | op::IMUL
            | op::IDIV
            | op::IREM
            | op::ISHL
            | op::ISHR
            | op::IUSHR
            | op::IAND
            | op::IOR
            | op::IXOR => {
                self.pop(Integer)?;
                self.pop(Integer)?;
                self.push(Integer)?;
            }
            op::LADD
            | op::LSUB
            | op::LMUL
            | op::LDIV
            | op::LREM
            | op::LAND
            | op::LOR
            | op::LXOR => {
                self.pop2(Long2, Long)?;
                self.pop2(Long2, Long)?;
                self.push2(Long, Long2)?;
            }
            op::FADD | op::FSUB | op::FMUL | op::FDIV | op::FREM => {
                self.pop(Float)?;
                self.pop(Float)?;
                self.push(Float)?;
            }
            op::DADD | op::DSUB | op::DMUL | op::DDIV | op::DREM => {
                self.pop2(Double2, Double)?;
                self.pop2(Double2, Double)?;
                self.push2(Double, Double2)?;
            }
            op::LSHL | op::LSHR | op::LUSHR => {
                self.pop(Integer)?;
                self.pop2(Long2, Long)?;
                self.push2(Long, Long2)?;
            }
            op::INEG | op::I2B | op::I2C | op::I2S => {
                self.pop(Integer)?;
                self.push(Integer)?;
            }
            op::LNEG => {
                self.pop2(Long2, Long)?;
                self.push2(Long, Long2)?;
            }
            op::FNEG => {
                self.pop(Float)?;
                self.push(Float)?;
            }
            op::DNEG => {
                self.pop2(Double2, Double)?;
                self.push2(Double, Double2)?;
            }
            op::IINC => {
                let ty = self.local(index(), Want::Type(Integer))?;
                self.set_local(index(), ty)?;
            }
            op::I2L => {
                self.pop(Integer)?;
                self.push2(Long, Long2)?;
            }
            op::I2F => {
                self.pop(Integer)?;
                self.push(Float)?;
            }
            op::I2D => {
                self.pop(Integer)?;
                self.push2(Double, Double2)?;
            }
            op::L2I => {
                self.pop2(Long2, Long)?;
                self.push(Integer)?;
            }
            op::L2F => {
                self.pop2(Long2, Long)?;
                self.push(Float)?;
            }
            op::L2D => {
                self.pop2(Long2, Long)?;
                self.push2(Double, Double2)?;
            }
            op::F2I => {
                self.pop(Float)?;
                self.push(Integer)?;
            }
            op::F2L => {
                self.pop(Float)?;
                self.push2(Long, Long2)?;
            }
            op::F2D => {
                self.pop(Float)?;
                self.push2(Double, Double2)?;
            }
            op::D2I => {
                self.pop2(Double2, Double)?;
                self.push(Integer)?;
            }
            op::D2L => {
                self.pop2(Double2, Double)?;
                self.push2(Long, Long2)?;
            }
            op::D2F => {
                self.pop2(Double2, Double)?;
                self.push(Float)?;
            }
            op::LCMP => {
                self.pop2(Long2, Long)?;
                self.pop2(Long2, Long)?;
                self.push(Integer)?;
            }
            op::FCMPL | op::FCMPG => {
                self.pop(Float)?;
                self.pop(Float)?;
                self.push(Integer)?;
            }
            op::DCMPL | op::DCMPG => {
                self.pop2(Double2, Double)?;
                self.pop2(Double2, Double)?;
                self.push(Integer)?;
            }

            op::IF_ICMPEQ..=op::IF_ICMPLE => {
                self.pop(Integer)?;
                self.pop(Integer)?;
                self.check_jump(bci, short_branch())?;
            }
            op::IFEQ..=op::IFLE => {
                self.pop(Integer)?;
                self.check_jump(bci, short_branch())?;
            }
            op::IF_ACMPEQ | op::IF_ACMPNE => {
                self.pop_reference()?;
                self.pop_reference()?;
                self.check_jump(bci, short_branch())?;
            }
            op::IFNULL | op::IFNONNULL => {
                self.pop_reference()?;
                self.check_jump(bci, short_branch())?;
            }
            op::GOTO => {
                self.check_jump(bci, short_branch())?;
                return Ok(false);
            }
            op::GOTO_W => {
                self.check_jump(bci, op::i32_at(code, bci + 1))?;
                return Ok(false);
            }
            op::TABLESWITCH | op::LOOKUPSWITCH => {
                self.switch(opcode, bci)?;
                return Ok(false);
            }

            op::IRETURN => return self.return_value(&[Integer]),
            op::LRETURN => return self.return_value(&[Long, Long2]),
            op::FRETURN => return self.return_value(&[Float]),
            op::DRETURN => return self.return_value(&[Double, Double2]),
            op::ARETURN => {
                let ty = self.pop_reference()?;
                self.check_return_type(ty)?;
                return Ok(false);
            }
            op::RETURN => {
                if self.return_type.is_some() {
                    return Err(self.bad_code("Method expects a return value"));
                }
                if self.method.name == b"<init>" && self.frame.this_uninit {
                    let text = "Constructor must call super() or this() before return";
                    return Err(self.bad_code(text));
                }
                return Ok(false);
            }

            op::GETSTATIC | op::PUTSTATIC | op::GETFIELD | op::PUTFIELD => {
                self.field_instruction(opcode, index_u2())?;
            }
            op::INVOKEVIRTUAL..=op::INVOKEDYNAMIC => {
                self.invoke_instruction(opcode, index_u2(), bci)?;
            }
            op::NEW => {
                let name = self.class_constant(index_u2())?;
                let ty = VType::Ref(name);
                if !self.class.names.is_object(ty) {
                    let fault = Fault::Type(Origin::constant(index_u2(), ty), None);
                    return Err(self.fail(fault, "Illegal new instruction"));
                }
                self.push(VType::Uninitialized(bci as u16))?;
            }
            op::NEWARRAY => {
                let name = self.newarray_type(index())?;
                self.pop(Integer)?;
                self.push(VType::Ref(name))?;
            }
            op::ANEWARRAY => self.anewarray(index_u2())?,
            op::ARRAYLENGTH => {
                let ty = self.pop_reference()?;
                if ty != Null && !self.class.names.is_array(ty) {
                    return Err(self.bad_operand(opcode, None));
                }
                self.push(Integer)?;
            }
            op::CHECKCAST => {
                let name = self.class_constant(index_u2())?;
                self.pop(VType::Ref(self.class.known.object))?;
                self.push(VType::Ref(name))?;
            }
            op::INSTANCEOF => {
                self.class_constant(index_u2())?;
                self.pop(VType::Ref(self.class.known.object))?;
                self.push(Integer)?;
            }
            op::MONITORENTER | op::MONITOREXIT => {
                self.pop_reference()?;
            }
            op::MULTIANEWARRAY => self.multianewarray(index_u2(), code[bci + 3])?,
            op::ATHROW => {
                self.pop(VType::Ref(self.class.known.throwable))?;
                return Ok(false);
            }
            _ if wide => return Err(self.bad_code("Bad wide instruction")),
            // jsr, jsr_w and ret are not in class files with stack maps (JVMS 4.9.1)
            _ => return Err(self.bad_code(&format!("Bad instruction: {opcode:02x}"))),
        }
        Ok(true)
    }

    /// Checks that there is a constant at `index` of one of the kinds that `allowed` lists.
    pub(super) fn check_constant(&self, index: u16, allowed: &[u8]) -> Result<u8, Stop<E>> {
        let fault = Fault::ConstantIndex(index);
        let pool = &self.class.cls.constant_pool;
        if index == 0 || usize::from(index) >= pool.len() {
            let text = format!("Illegal constant pool index {index} in class ");
            return Err(self.fail_naming_class(fault, &text));
        }
        let tag = pool.tag(index);
        if !allowed.contains(&tag) {
            let text = format!("Illegal type at constant pool entry {index} in class ");
            return Err(self.fail_naming_class(fault, &text));
        }
        Ok(tag)
    }

    /// The name in the constant at `index`, which must be a Class.
    pub(super) fn class_constant(&mut self, index: u16) -> Result<NameId, Stop<E>> {
        self.check_constant(index, &[tag::CLASS])?;
        self.class.class_name(index)
    }
}
