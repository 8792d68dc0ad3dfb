//! Writes class files that no compiler would: an assembler without judgement.

use std::collections::HashMap;

/// The mnemonics, in the order of their opcodes.
const MNEMONICS: &str =
    "nop aconst_null iconst_m1 iconst_0 iconst_1 iconst_2 iconst_3 iconst_4 iconst_5 lconst_0 \
    lconst_1 fconst_0 fconst_1 fconst_2 dconst_0 dconst_1 bipush sipush ldc ldc_w ldc2_w iload \
    lload fload dload aload iload_0 iload_1 iload_2 iload_3 lload_0 lload_1 lload_2 lload_3 \
    fload_0 fload_1 fload_2 fload_3 dload_0 dload_1 dload_2 dload_3 aload_0 aload_1 aload_2 \
    aload_3 iaload laload faload daload aaload baload caload saload istore lstore fstore dstore \
    astore istore_0 istore_1 istore_2 istore_3 lstore_0 lstore_1 lstore_2 lstore_3 fstore_0 \
    fstore_1 fstore_2 fstore_3 dstore_0 dstore_1 dstore_2 dstore_3 astore_0 astore_1 astore_2 \
    astore_3 iastore lastore fastore dastore aastore bastore castore sastore pop pop2 dup dup_x1 \
    dup_x2 dup2 dup2_x1 dup2_x2 swap iadd ladd fadd dadd isub lsub fsub dsub imul lmul fmul dmul \
    idiv ldiv fdiv ddiv irem lrem frem drem ineg lneg fneg dneg ishl lshl ishr lshr iushr lushr \
    iand land ior lor ixor lxor iinc i2l i2f i2d l2i l2f l2d f2i f2l f2d d2i d2l d2f i2b i2c i2s \
    lcmp fcmpl fcmpg dcmpl dcmpg ifeq ifne iflt ifge ifgt ifle if_icmpeq if_icmpne if_icmplt \
    if_icmpge if_icmpgt if_icmple if_acmpeq if_acmpne goto jsr ret tableswitch lookupswitch \
    ireturn lreturn freturn dreturn areturn return getstatic putstatic getfield putfield \
    invokevirtual invokespecial invokestatic invokeinterface invokedynamic new newarray \
    anewarray arraylength athrow checkcast instanceof monitorenter monitorexit wide \
    multianewarray ifnull ifnonnull goto_w jsr_w";

/// A constant pool being filled.
#[derive(Default)]
struct Pool {
    bytes: Vec<u8>,
    count: u16,
    known: HashMap<Vec<u8>, u16>,
}

impl Pool {
    fn add(&mut self, entry: Vec<u8>) -> u16 {
        if let Some(&index) = self.known.get(&entry) {
            return index;
        }
        self.count += 1;
        let index = self.count;
        if matches!(entry[0], 5 | 6) {
            self.count += 1;
        }
        self.bytes.extend(&entry);
        self.known.insert(entry, index);
        index
    }
    fn utf8(&mut self, text: &str) -> u16 {
        let mut entry = vec![1];
        entry.extend((text.len() as u16).to_be_bytes());
        entry.extend(text.bytes());
        self.add(entry)
    }
    fn pair(&mut self, tag: u8, first: u16, second: u16) -> u16 {
        let (a, b) = (first.to_be_bytes(), second.to_be_bytes());
        self.add(vec![tag, a[0], a[1], b[0], b[1]])
    }
    fn with_text(&mut self, tag: u8, text: &str) -> u16 {
        let index = self.utf8(text).to_be_bytes();
        self.add(vec![tag, index[0], index[1]])
    }
    fn class(&mut self, name: &str) -> u16 {
        self.with_text(7, name)
    }
    /// `name:descriptor`
    fn name_and_type(&mut self, text: &str) -> u16 {
        let (name, descriptor) = text.split_once(':').expect("name:descriptor");
        let (name, descriptor) = (self.utf8(name), self.utf8(descriptor));
        self.pair(12, name, descriptor)
    }
    /// `class.name:descriptor`
    fn member(&mut self, tag: u8, text: &str) -> u16 {
        let (class, member) = text.split_once('.').expect("class.name:descriptor");
        let (class, member) = (self.class(class), self.name_and_type(member));
        self.pair(tag, class, member)
    }

    /// The bytes of an operand such as `u2:5`, `cls:java/lang/String` or `fld:C.x:I`; `None` if it
    /// is none.
    fn operand(&mut self, token: &str) -> Option<Vec<u8>> {
        let (kind, text) = token.split_once(':')?;
        let number = || text.parse::<i64>().expect("number");
        let index = match kind {
            "u1" => return Some(vec![number() as u8]),
            "u2" => return Some((number() as u16).to_be_bytes().to_vec()),
            "u4" => return Some((number() as u32).to_be_bytes().to_vec()),
            "cls" => self.class(text),
            "str" => self.with_text(8, text),
            "mtype" => self.with_text(16, text),
            "fld" => self.member(9, text),
            "mth" => self.member(10, text),
            "imth" => self.member(11, text),
            "nt" => self.name_and_type(text),
            "utf8" => self.utf8(text),
            "mh" => {
                let index = self.member(10, text).to_be_bytes();
                self.add(vec![15, 6, index[0], index[1]])
            }
            "dyn" | "indy" => {
                let name_and_type = self.name_and_type(text);
                self.pair(if kind == "dyn" { 17 } else { 18 }, 0, name_and_type)
            }
            "int" | "float" => {
                let tag = if kind == "int" { 3 } else { 4 };
                let mut entry = vec![tag];
                entry.extend((number() as u32).to_be_bytes());
                self.add(entry)
            }
            "long" | "double" => {
                let tag = if kind == "long" { 5 } else { 6 };
                let mut entry = vec![tag];
                entry.extend(number().to_be_bytes());
                self.add(entry)
            }
            _ => return None,
        };
        Some(index.to_be_bytes().to_vec())
    }

    /// Assembles mnemonics and operands. `1:` before a constant (`1:str:x`) makes its index one
    /// byte long, as ldc has it.
    fn assemble(&mut self, text: &str) -> Vec<u8> {
        let mut code = Vec::new();
        for token in text.split_whitespace() {
            if let Some(opcode) = MNEMONICS.split(' ').position(|name| name == token) {
                code.push(opcode as u8);
            } else if token == "align" {
                code.resize((code.len() + 3) & !3, 0);
            } else if let Some(constant) = token.strip_prefix("1:") {
                let index = self.operand(constant).unwrap_or_else(|| panic!("{constant}?"));
                code.push(index[1]);
            } else {
                code.extend(self.operand(token).unwrap_or_else(|| panic!("{token}?")));
            }
        }
        code
    }

    /// A StackMapTable's contents: frames as their bytes in assembler notation, separated by `;`,
    /// with these words for verification types: `T I F D J N U` and `O:class`, `new:bci`.
    fn stack_map_table(&mut self, text: &str) -> Vec<u8> {
        let frames: Vec<_> = text.split(';').map(str::trim).filter(|f| !f.is_empty()).collect();
        let mut table = (frames.len() as u16).to_be_bytes().to_vec();
        for word in frames.iter().flat_map(|frame| frame.split_whitespace()) {
            match word {
                "T" => table.push(0),
                "I" => table.push(1),
                "F" => table.push(2),
                "D" => table.push(3),
                "J" => table.push(4),
                "N" => table.push(5),
                "U" => table.push(6),
                _ => match word.split_once(':') {
                    Some(("O", class)) => {
                        table.push(7);
                        table.extend(self.class(class).to_be_bytes());
                    }
                    Some(("new", bci)) => {
                        table.push(8);
                        table.extend(bci.parse::<u16>().expect("bci").to_be_bytes());
                    }
                    _ => table.extend(self.operand(word).unwrap_or_else(|| panic!("{word}?"))),
                },
            }
        }
        table
    }
}

/// A method to write.
#[derive(Clone, Debug, Default)]
pub struct Method {
    pub access: u16,
    pub name: String,
    pub descriptor: String,
    pub max_stack: u16,
    pub max_locals: u16,
    pub code: String,
    /// See `Pool::stack_map_table`; `None`: no attribute.
    pub frames: Option<String>,
    /// Bytes cut from the end of the StackMapTable, or (negative) zeros added.
    pub cut: i32,
    /// start, end, handler, class caught (empty: all)
    pub handlers: Vec<(u16, u16, u16, &'static str)>,
    /// LocalVariableTable: start, length
    pub variable: Option<(u16, u16)>,
}

/// A class to write.
#[derive(Clone, Debug, Default)]
pub struct Class {
    pub version: u16,
    pub access: u16,
    pub name: String,
    pub superclass: String,
    pub interfaces: Vec<&'static str>,
    /// access, name, descriptor
    pub fields: Vec<(u16, &'static str, &'static str)>,
    pub methods: Vec<Method>,
}

impl Class {
    /// The class file.
    pub fn write(&self) -> Vec<u8> {
        let mut pool = Pool::default();
        let mut body = Vec::new();
        let u2 = |body: &mut Vec<u8>, value: u16| body.extend(value.to_be_bytes());
        u2(&mut body, self.access);
        u2(&mut body, pool.class(&self.name));
        u2(&mut body, pool.class(&self.superclass));
        u2(&mut body, self.interfaces.len() as u16);
        for interface in &self.interfaces {
            u2(&mut body, pool.class(interface));
        }
        u2(&mut body, self.fields.len() as u16);
        for (access, name, descriptor) in &self.fields {
            u2(&mut body, *access);
            u2(&mut body, pool.utf8(name));
            u2(&mut body, pool.utf8(descriptor));
            u2(&mut body, 0);
        }
        u2(&mut body, self.methods.len() as u16);
        for method in &self.methods {
            u2(&mut body, method.access);
            u2(&mut body, pool.utf8(&method.name));
            u2(&mut body, pool.utf8(&method.descriptor));
            u2(&mut body, 1);
            let code = method.write_code(&mut pool);
            u2(&mut body, pool.utf8("Code"));
            body.extend((code.len() as u32).to_be_bytes());
            body.extend(code);
        }
        if pool.known.keys().any(|entry| matches!(entry[0], 17 | 18)) {
            let bootstrap = "java/lang/invoke/LambdaMetafactory.metafactory:\
                (Ljava/lang/invoke/MethodHandles$Lookup;Ljava/lang/String;\
                Ljava/lang/invoke/MethodType;Ljava/lang/invoke/MethodType;\
                Ljava/lang/invoke/MethodHandle;Ljava/lang/invoke/MethodType;)\
                Ljava/lang/invoke/CallSite;";
            let handle = pool.operand(&format!("mh:{bootstrap}")).expect("handle");
            u2(&mut body, 1);
            u2(&mut body, pool.utf8("BootstrapMethods"));
            body.extend(6u32.to_be_bytes());
            body.extend([0, 1, handle[0], handle[1], 0, 0]);
        } else {
            u2(&mut body, 0);
        }
        let mut file = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0];
        u2(&mut file, self.version);
        u2(&mut file, pool.count + 1);
        file.extend(&pool.bytes);
        file.extend(body);
        file
    }
}

impl Method {
    /// The Code attribute's contents.
    fn write_code(&self, pool: &mut Pool) -> Vec<u8> {
        let code = pool.assemble(&self.code);
        let mut out = [self.max_stack.to_be_bytes(), self.max_locals.to_be_bytes()].concat();
        out.extend((code.len() as u32).to_be_bytes());
        out.extend(code);
        out.extend((self.handlers.len() as u16).to_be_bytes());
        for &(start, end, handler, class) in &self.handlers {
            let class = if class.is_empty() { 0 } else { pool.class(class) };
            out.extend([start, end, handler, class].iter().flat_map(|n| n.to_be_bytes()));
        }
        let mut attributes = Vec::new();
        if let Some(frames) = &self.frames {
            let mut table = pool.stack_map_table(frames);
            table.resize((table.len() as i32 - self.cut) as usize, 0);
            attributes.push(("StackMapTable", table));
        }
        if let Some((start, length)) = self.variable {
            let (name, descriptor) = (pool.utf8("x"), pool.utf8("I"));
            let numbers = [1, start, length, name, descriptor, 0];
            attributes.push((
                "LocalVariableTable",
                numbers.iter().flat_map(|n| n.to_be_bytes()).collect(),
            ));
        }
        out.extend((attributes.len() as u16).to_be_bytes());
        for (name, contents) in attributes {
            out.extend(pool.utf8(name).to_be_bytes());
            out.extend((contents.len() as u32).to_be_bytes());
            out.extend(contents);
        }
        out
    }
}
