//! The instruction set (JVMS 6.5): opcodes, names, lengths, and stepping through code.

/// Mnemonic and length in bytes, 0 where it varies, of every opcode that HotSpot gives a meaning:
/// the ones above 201 are its internal ones, not allowed in class files, but its messages name them.
const INSTRUCTIONS: [(&str, u8); 239] = [
    ("nop", 1),
    ("aconst_null", 1),
    ("iconst_m1", 1),
    ("iconst_0", 1),
    ("iconst_1", 1),
    ("iconst_2", 1),
    ("iconst_3", 1),
    ("iconst_4", 1),
    ("iconst_5", 1),
    ("lconst_0", 1),
    ("lconst_1", 1),
    ("fconst_0", 1),
    ("fconst_1", 1),
    ("fconst_2", 1),
    ("dconst_0", 1),
    ("dconst_1", 1),
    ("bipush", 2),
    ("sipush", 3),
    ("ldc", 2),
    ("ldc_w", 3),
    ("ldc2_w", 3),
    ("iload", 2),
    ("lload", 2),
    ("fload", 2),
    ("dload", 2),
    ("aload", 2),
    ("iload_0", 1),
    ("iload_1", 1),
    ("iload_2", 1),
    ("iload_3", 1),
    ("lload_0", 1),
    ("lload_1", 1),
    ("lload_2", 1),
    ("lload_3", 1),
    ("fload_0", 1),
    ("fload_1", 1),
    ("fload_2", 1),
    ("fload_3", 1),
    ("dload_0", 1),
    ("dload_1", 1),
    ("dload_2", 1),
    ("dload_3", 1),
    ("aload_0", 1),
    ("aload_1", 1),
    ("aload_2", 1),
    ("aload_3", 1),
    ("iaload", 1),
    ("laload", 1),
    ("faload", 1),
    ("daload", 1),
    ("aaload", 1),
    ("baload", 1),
    ("caload", 1),
    ("saload", 1),
    ("istore", 2),
    ("lstore", 2),
    ("fstore", 2),
    ("dstore", 2),
    ("astore", 2),
    ("istore_0", 1),
    ("istore_1", 1),
    ("istore_2", 1),
    ("istore_3", 1),
    ("lstore_0", 1),
    ("lstore_1", 1),
    ("lstore_2", 1),
    ("lstore_3", 1),
    ("fstore_0", 1),
    ("fstore_1", 1),
    ("fstore_2", 1),
    ("fstore_3", 1),
    ("dstore_0", 1),
    ("dstore_1", 1),
    ("dstore_2", 1),
    ("dstore_3", 1),
    ("astore_0", 1),
    ("astore_1", 1),
    ("astore_2", 1),
    ("astore_3", 1),
    ("iastore", 1),
    ("lastore", 1),
    ("fastore", 1),
    ("dastore", 1),
    ("aastore", 1),
    ("bastore", 1),
    ("castore", 1),
    ("sastore", 1),
    ("pop", 1),
    ("pop2", 1),
    ("dup", 1),
    ("dup_x1", 1),
    ("dup_x2", 1),
    ("dup2", 1),
    ("dup2_x1", 1),
    ("dup2_x2", 1),
    ("swap", 1),
    ("iadd", 1),
    ("ladd", 1),
    ("fadd", 1),
    ("dadd", 1),
    ("isub", 1),
    ("lsub", 1),
    ("fsub", 1),
    ("dsub", 1),
    ("imul", 1),
    ("lmul", 1),
    ("fmul", 1),
    ("dmul", 1),
    ("idiv", 1),
    ("ldiv", 1),
    ("fdiv", 1),
    ("ddiv", 1),
    ("irem", 1),
    ("lrem", 1),
    ("frem", 1),
    ("drem", 1),
    ("ineg", 1),
    ("lneg", 1),
    ("fneg", 1),
    ("dneg", 1),
    ("ishl", 1),
    ("lshl", 1),
    ("ishr", 1),
    ("lshr", 1),
    ("iushr", 1),
    ("lushr", 1),
    ("iand", 1),
    ("land", 1),
    ("ior", 1),
    ("lor", 1),
    ("ixor", 1),
    ("lxor", 1),
    ("iinc", 3),
    ("i2l", 1),
    ("i2f", 1),
    ("i2d", 1),
    ("l2i", 1),
    ("l2f", 1),
    ("l2d", 1),
    ("f2i", 1),
    ("f2l", 1),
    ("f2d", 1),
    ("d2i", 1),
    ("d2l", 1),
    ("d2f", 1),
    ("i2b", 1),
    ("i2c", 1),
    ("i2s", 1),
    ("lcmp", 1),
    ("fcmpl", 1),
    ("fcmpg", 1),
    ("dcmpl", 1),
    ("dcmpg", 1),
    ("ifeq", 3),
    ("ifne", 3),
    ("iflt", 3),
    ("ifge", 3),
    ("ifgt", 3),
    ("ifle", 3),
    ("if_icmpeq", 3),
    ("if_icmpne", 3),
    ("if_icmplt", 3),
    ("if_icmpge", 3),
    ("if_icmpgt", 3),
    ("if_icmple", 3),
    ("if_acmpeq", 3),
    ("if_acmpne", 3),
    ("goto", 3),
    ("jsr", 3),
    ("ret", 2),
    ("tableswitch", 0),
    ("lookupswitch", 0),
    ("ireturn", 1),
    ("lreturn", 1),
    ("freturn", 1),
    ("dreturn", 1),
    ("areturn", 1),
    ("return", 1),
    ("getstatic", 3),
    ("putstatic", 3),
    ("getfield", 3),
    ("putfield", 3),
    ("invokevirtual", 3),
    ("invokespecial", 3),
    ("invokestatic", 3),
    ("invokeinterface", 5),
    ("invokedynamic", 5),
    ("new", 3),
    ("newarray", 2),
    ("anewarray", 3),
    ("arraylength", 1),
    ("athrow", 1),
    ("checkcast", 3),
    ("instanceof", 3),
    ("monitorenter", 1),
    ("monitorexit", 1),
    ("wide", 0),
    ("multianewarray", 4),
    ("ifnull", 3),
    ("ifnonnull", 3),
    ("goto_w", 5),
    ("jsr_w", 5),
    ("breakpoint", 0),
    ("fast_agetfield", 3),
    ("fast_bgetfield", 3),
    ("fast_cgetfield", 3),
    ("fast_dgetfield", 3),
    ("fast_fgetfield", 3),
    ("fast_igetfield", 3),
    ("fast_lgetfield", 3),
    ("fast_sgetfield", 3),
    ("fast_aputfield", 3),
    ("fast_bputfield", 3),
    ("fast_zputfield", 3),
    ("fast_cputfield", 3),
    ("fast_dputfield", 3),
    ("fast_fputfield", 3),
    ("fast_iputfield", 3),
    ("fast_lputfield", 3),
    ("fast_sputfield", 3),
    ("fast_aload_0", 1),
    ("fast_iaccess_0", 4),
    ("fast_aaccess_0", 4),
    ("fast_faccess_0", 4),
    ("fast_iload", 2),
    ("fast_iload2", 4),
    ("fast_icaload", 3),
    ("fast_invokevfinal", 3),
    ("fast_linearswitch", 0),
    ("fast_binaryswitch", 0),
    ("fast_aldc", 2),
    ("fast_aldc_w", 3),
    ("return_register_finalizer", 1),
    ("invokehandle", 3),
    ("nofast_getfield", 3),
    ("nofast_putfield", 3),
    ("nofast_aload_0", 1),
    ("nofast_iload", 2),
    ("_shouldnotreachhere", 1),
];

/// The instruction's mnemonic, or what HotSpot prints for a byte that is no opcode.
pub(super) fn name(opcode: u8) -> &'static str {
    INSTRUCTIONS.get(usize::from(opcode)).map_or("<illegal>", |&(name, _)| name)
}

/// An instruction located in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// The opcode; of the modified instruction if `wide`.
    pub opcode: u8,
    /// Whether it has a `wide` prefix.
    pub wide: bool,
    /// Length in bytes, with prefix and padding.
    pub length: usize,
}

/// The instruction at `bci`; `None` if it is none, or does not lie in the code entirely.
pub(super) fn decode(code: &[u8], bci: usize) -> Option<Instruction> {
    let &opcode = code.get(bci)?;
    let &(_, length) = INSTRUCTIONS.get(usize::from(opcode))?;
    let instruction = match (length, opcode) {
        (1.., _) => Instruction { opcode, wide: false, length: usize::from(length) },
        (0, WIDE) => {
            let &opcode = code.get(bci + 1)?;
            let length = match opcode {
                IINC => 6,
                ILOAD..=ALOAD | ISTORE..=ASTORE | RET => 4,
                _ => return None,
            };
            Instruction { opcode, wide: true, length }
        }
        (0, BREAKPOINT) => Instruction { opcode, wide: false, length: 1 },
        (0, TABLESWITCH) => {
            let operands = aligned(bci);
            // HotSpot wants a byte after the fixed part: there must be at least one jump offset
            code.get(operands + 12)?;
            let (low, high) =
                (i64::from(i32_at(code, operands + 4)), i64::from(i32_at(code, operands + 8)));
            if low > high {
                return None;
            }
            let length = (operands - bci) as i64 + (3 + high - low + 1) * 4;
            Instruction { opcode, wide: false, length: length as usize }
        }
        (0, LOOKUPSWITCH) => {
            let operands = aligned(bci);
            // as above, though a lookupswitch without pairs could end the code
            code.get(operands + 8)?;
            let pairs = i64::from(i32_at(code, operands + 4));
            if pairs < 0 {
                return None;
            }
            let length = (operands - bci) as i64 + (2 + 2 * pairs) * 4;
            Instruction { opcode, wide: false, length: length as usize }
        }
        _ => return None,
    };
    (instruction.length <= code.len() - bci).then_some(instruction)
}

/// Where the operands of the switch instruction at `bci` begin.
pub(super) fn aligned(bci: usize) -> usize {
    (bci + 4) & !3
}

/// The big-endian 32-bit number at `at`; 0 beyond the end (which [`decode`] has excluded).
pub(super) fn i32_at(code: &[u8], at: usize) -> i32 {
    match code.get(at..at + 4) {
        Some(b) => i32::from_be_bytes([b[0], b[1], b[2], b[3]]),
        None => 0,
    }
}

/// The big-endian 16-bit number at `at`; 0 beyond the end (which [`decode`] has excluded).
pub(super) fn u16_at(code: &[u8], at: usize) -> u16 {
    match code.get(at..at + 2) {
        Some(b) => u16::from_be_bytes([b[0], b[1]]),
        None => 0,
    }
}

pub(super) const NOP: u8 = 0;
pub(super) const ACONST_NULL: u8 = 1;
pub(super) const ICONST_M1: u8 = 2;
pub(super) const ICONST_5: u8 = 8;
pub(super) const LCONST_0: u8 = 9;
pub(super) const LCONST_1: u8 = 10;
pub(super) const FCONST_0: u8 = 11;
pub(super) const FCONST_2: u8 = 13;
pub(super) const DCONST_0: u8 = 14;
pub(super) const DCONST_1: u8 = 15;
pub(super) const BIPUSH: u8 = 16;
pub(super) const SIPUSH: u8 = 17;
pub(super) const LDC: u8 = 18;
pub(super) const LDC_W: u8 = 19;
pub(super) const LDC2_W: u8 = 20;
pub(super) const ILOAD: u8 = 21;
pub(super) const LLOAD: u8 = 22;
pub(super) const FLOAD: u8 = 23;
pub(super) const DLOAD: u8 = 24;
pub(super) const ALOAD: u8 = 25;
pub(super) const ILOAD_0: u8 = 26;
pub(super) const ILOAD_3: u8 = 29;
pub(super) const LLOAD_0: u8 = 30;
pub(super) const LLOAD_3: u8 = 33;
pub(super) const FLOAD_0: u8 = 34;
pub(super) const FLOAD_3: u8 = 37;
pub(super) const DLOAD_0: u8 = 38;
pub(super) const DLOAD_3: u8 = 41;
pub(super) const ALOAD_0: u8 = 42;
pub(super) const ALOAD_3: u8 = 45;
pub(super) const IALOAD: u8 = 46;
pub(super) const LALOAD: u8 = 47;
pub(super) const FALOAD: u8 = 48;
pub(super) const DALOAD: u8 = 49;
pub(super) const AALOAD: u8 = 50;
pub(super) const BALOAD: u8 = 51;
pub(super) const CALOAD: u8 = 52;
pub(super) const SALOAD: u8 = 53;
pub(super) const ISTORE: u8 = 54;
pub(super) const LSTORE: u8 = 55;
pub(super) const FSTORE: u8 = 56;
pub(super) const DSTORE: u8 = 57;
pub(super) const ASTORE: u8 = 58;
pub(super) const ISTORE_0: u8 = 59;
pub(super) const ISTORE_3: u8 = 62;
pub(super) const LSTORE_0: u8 = 63;
pub(super) const LSTORE_3: u8 = 66;
pub(super) const FSTORE_0: u8 = 67;
pub(super) const FSTORE_3: u8 = 70;
pub(super) const DSTORE_0: u8 = 71;
pub(super) const DSTORE_3: u8 = 74;
pub(super) const ASTORE_0: u8 = 75;
pub(super) const ASTORE_3: u8 = 78;
pub(super) const IASTORE: u8 = 79;
pub(super) const LASTORE: u8 = 80;
pub(super) const FASTORE: u8 = 81;
pub(super) const DASTORE: u8 = 82;
pub(super) const AASTORE: u8 = 83;
pub(super) const BASTORE: u8 = 84;
pub(super) const CASTORE: u8 = 85;
pub(super) const SASTORE: u8 = 86;
pub(super) const POP: u8 = 87;
pub(super) const POP2: u8 = 88;
pub(super) const DUP: u8 = 89;
pub(super) const DUP_X1: u8 = 90;
pub(super) const DUP_X2: u8 = 91;
pub(super) const DUP2: u8 = 92;
pub(super) const DUP2_X1: u8 = 93;
pub(super) const DUP2_X2: u8 = 94;
pub(super) const SWAP: u8 = 95;
pub(super) const IADD: u8 = 96;
pub(super) const LADD: u8 = 97;
pub(super) const FADD: u8 = 98;
pub(super) const DADD: u8 = 99;
pub(super) const ISUB: u8 = 100;
pub(super) const LSUB: u8 = 101;
pub(super) const FSUB: u8 = 102;
pub(super) const DSUB: u8 = 103;
pub(super) const IMUL: u8 = 104;
pub(super) const LMUL: u8 = 105;
pub(super) const FMUL: u8 = 106;
pub(super) const DMUL: u8 = 107;
pub(super) const IDIV: u8 = 108;
pub(super) const LDIV: u8 = 109;
pub(super) const FDIV: u8 = 110;
pub(super) const DDIV: u8 = 111;
pub(super) const IREM: u8 = 112;
pub(super) const LREM: u8 = 113;
pub(super) const FREM: u8 = 114;
pub(super) const DREM: u8 = 115;
pub(super) const INEG: u8 = 116;
pub(super) const LNEG: u8 = 117;
pub(super) const FNEG: u8 = 118;
pub(super) const DNEG: u8 = 119;
pub(super) const ISHL: u8 = 120;
pub(super) const LSHL: u8 = 121;
pub(super) const ISHR: u8 = 122;
pub(super) const LSHR: u8 = 123;
pub(super) const IUSHR: u8 = 124;
pub(super) const LUSHR: u8 = 125;
pub(super) const IAND: u8 = 126;
pub(super) const LAND: u8 = 127;
pub(super) const IOR: u8 = 128;
pub(super) const LOR: u8 = 129;
pub(super) const IXOR: u8 = 130;
pub(super) const LXOR: u8 = 131;
pub(super) const IINC: u8 = 132;
pub(super) const I2L: u8 = 133;
pub(super) const I2F: u8 = 134;
pub(super) const I2D: u8 = 135;
pub(super) const L2I: u8 = 136;
pub(super) const L2F: u8 = 137;
pub(super) const L2D: u8 = 138;
pub(super) const F2I: u8 = 139;
pub(super) const F2L: u8 = 140;
pub(super) const F2D: u8 = 141;
pub(super) const D2I: u8 = 142;
pub(super) const D2L: u8 = 143;
pub(super) const D2F: u8 = 144;
pub(super) const I2B: u8 = 145;
pub(super) const I2C: u8 = 146;
pub(super) const I2S: u8 = 147;
pub(super) const LCMP: u8 = 148;
pub(super) const FCMPL: u8 = 149;
pub(super) const FCMPG: u8 = 150;
pub(super) const DCMPL: u8 = 151;
pub(super) const DCMPG: u8 = 152;
pub(super) const IFEQ: u8 = 153;
pub(super) const IFLE: u8 = 158;
pub(super) const IF_ICMPEQ: u8 = 159;
pub(super) const IF_ICMPLE: u8 = 164;
pub(super) const IF_ACMPEQ: u8 = 165;
pub(super) const IF_ACMPNE: u8 = 166;
pub(super) const GOTO: u8 = 167;
const RET: u8 = 169;
pub(super) const TABLESWITCH: u8 = 170;
pub(super) const LOOKUPSWITCH: u8 = 171;
pub(super) const IRETURN: u8 = 172;
pub(super) const LRETURN: u8 = 173;
pub(super) const FRETURN: u8 = 174;
pub(super) const DRETURN: u8 = 175;
pub(super) const ARETURN: u8 = 176;
pub(super) const RETURN: u8 = 177;
pub(super) const GETSTATIC: u8 = 178;
pub(super) const PUTSTATIC: u8 = 179;
pub(super) const GETFIELD: u8 = 180;
pub(super) const PUTFIELD: u8 = 181;
pub(super) const INVOKEVIRTUAL: u8 = 182;
pub(super) const INVOKESPECIAL: u8 = 183;
pub(super) const INVOKESTATIC: u8 = 184;
pub(super) const INVOKEINTERFACE: u8 = 185;
pub(super) const INVOKEDYNAMIC: u8 = 186;
pub(super) const NEW: u8 = 187;
pub(super) const NEWARRAY: u8 = 188;
pub(super) const ANEWARRAY: u8 = 189;
pub(super) const ARRAYLENGTH: u8 = 190;
pub(super) const ATHROW: u8 = 191;
pub(super) const CHECKCAST: u8 = 192;
pub(super) const INSTANCEOF: u8 = 193;
pub(super) const MONITORENTER: u8 = 194;
pub(super) const MONITOREXIT: u8 = 195;
const WIDE: u8 = 196;
pub(super) const MULTIANEWARRAY: u8 = 197;
pub(super) const IFNULL: u8 = 198;
pub(super) const IFNONNULL: u8 = 199;
pub(super) const GOTO_W: u8 = 200;
const BREAKPOINT: u8 = 202;
