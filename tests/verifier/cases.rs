//! Classes that break one rule each, and some that break none but look it. What HotSpot says of
//! them is in `expected.txt`, which `cargo test --test verifier record -- --ignored` writes.

use super::writer::{Class, Method};

const PUBLIC: u16 = 1;
const PROTECTED: u16 = 4;
const STATIC: u16 = 8;
const SUPER: u16 = 0x20;
const INTERFACE: u16 = 0x600;

const OBJECT_INIT: &str = "mth:java/lang/Object.<init>:()V";
const BASE_INIT: &str = "mth:p/Base.<init>:()V";

fn method(access: u16, name: &str, descriptor: &str, sizes: (u16, u16), code: &str) -> Method {
    Method {
        access,
        name: name.to_owned(),
        descriptor: descriptor.to_owned(),
        max_stack: sizes.0,
        max_locals: sizes.1,
        code: code.to_owned(),
        ..Method::default()
    }
}

/// A static method `m`; `sizes`: max_stack, max_locals.
fn m(descriptor: &str, sizes: (u16, u16), code: &str) -> Method {
    method(PUBLIC | STATIC, "m", descriptor, sizes, code)
}

/// An instance method `m`.
fn im(descriptor: &str, sizes: (u16, u16), code: &str) -> Method {
    method(PUBLIC, "m", descriptor, sizes, code)
}

/// A constructor.
fn init(descriptor: &str, sizes: (u16, u16), code: &str) -> Method {
    method(PUBLIC, "<init>", descriptor, sizes, code)
}

impl Method {
    fn frames(mut self, frames: &str) -> Self {
        self.frames = Some(frames.to_owned());
        self
    }
    fn cut(mut self, cut: i32) -> Self {
        self.cut = cut;
        self
    }
    fn handler(mut self, start: u16, end: u16, handler: u16, class: &'static str) -> Self {
        self.handlers.push((start, end, handler, class));
        self
    }
    fn variable(mut self, start: u16, length: u16) -> Self {
        self.variable = Some((start, length));
        self
    }
}

fn class(version: u16, superclass: &str, methods: Vec<Method>) -> Class {
    Class {
        version,
        access: PUBLIC | SUPER,
        name: "T".to_owned(),
        superclass: superclass.to_owned(),
        methods,
        ..Class::default()
    }
}

/// Classes that the cases use, of another class loader.
pub fn library() -> Vec<Class> {
    let named = |name: &str, superclass: &str, access: u16| Class {
        name: name.to_owned(),
        access,
        ..class(61, superclass, Vec::new())
    };
    let constructor = |superclass: &str| {
        let call = format!("aload_0 invokespecial mth:{superclass}.<init>:()V return");
        method(PROTECTED, "<init>", "()V", (1, 1), &call)
    };
    let mut base = named("p/Base", "java/lang/Object", PUBLIC | SUPER);
    base.fields = vec![(PROTECTED, "f", "I"), (PUBLIC, "g", "I"), (PROTECTED | STATIC, "s", "I")];
    base.methods =
        vec![constructor("java/lang/Object"), method(PROTECTED, "pm", "()V", (0, 1), "return")];
    let mut middle = named("p/Middle", "p/Base", PUBLIC | SUPER);
    middle.methods = vec![constructor("p/Base")];
    let mut other = named("p/Other", "p/Base", PUBLIC | SUPER);
    other.methods = vec![constructor("p/Base")];
    let mut sub_interface = named("p/J", "java/lang/Object", PUBLIC | INTERFACE);
    sub_interface.interfaces = vec!["p/I"];
    let mut interface = named("p/I", "java/lang/Object", PUBLIC | INTERFACE);
    interface.methods = vec![im("()V", (0, 1), "return")];
    vec![base, middle, other, interface, sub_interface]
}

/// The cases, by name.
pub fn cases() -> Vec<(&'static str, Class)> {
    let mut cases: Vec<(&'static str, Class)> = Vec::new();
    let object = |method: Method| class(61, "java/lang/Object", vec![method]);
    for (name, method) in instructions()
        .into_iter()
        .chain(frames())
        .chain(objects())
        .chain(constants())
        .chain(handlers())
        .chain(maps())
    {
        cases.push((name, object(method)));
    }
    cases.extend(classes());
    cases
}

fn instructions() -> Vec<(&'static str, Method)> {
    vec![
        ("plain", m("()V", (0, 0), "return")),
        ("truncated_instruction", m("()V", (1, 0), "return sipush u1:1")),
        ("internal_opcode", m("()V", (1, 0), "aconst_null u1:203 u2:0 return")),
        ("internal_opcode_name", m("()V", (1, 1), "u1:220 return")),
        ("undefined_opcode", m("()V", (1, 0), "nop u1:250 return")),
        ("breakpoint", m("()V", (1, 0), "u1:202 return")),
        ("jsr", m("()V", (1, 0), "jsr u2:3 return")),
        ("jsr_w", m("()V", (1, 0), "jsr_w u4:5 return")),
        ("ret", m("()V", (1, 1), "ret u1:0 return")),
        ("wide_ret", m("()V", (1, 1), "wide ret u2:0 return")),
        ("wide_nop", m("()V", (1, 1), "wide nop return")),
        ("wide_at_end", m("()V", (1, 1), "return wide")),
        (
            "wide_iload",
            m("()V", (1, 1), "iconst_0 istore_0 wide iload u2:0 wide iinc u2:0 u2:5 pop return"),
        ),
        ("wide_iload_overflow", m("()V", (1, 1), "wide iload u2:256 pop return")),
        ("fall_off", m("()V", (0, 0), "nop")),
        (
            "fall_off_16",
            m("()V", (0, 0), "nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop"),
        ),
        ("stack_overflow", m("()V", (0, 0), "iconst_0 return")),
        ("stack_overflow_long", m("()V", (1, 0), "lconst_0 return")),
        ("stack_overflow_dup", m("(I)V", (2, 1), "iload_0 iload_0 dup_x1 return")),
        ("stack_overflow_dup2", m("(I)V", (3, 1), "iload_0 fconst_0 dup2 return")),
        ("stack_underflow", m("()V", (1, 0), "pop return")),
        ("stack_underflow_any", m("()V", (1, 0), "dup2 return")),
        ("stack_underflow_iadd", m("()V", (1, 0), "iconst_0 iadd pop return")),
        ("ladd_of_ints", m("()V", (2, 0), "iconst_0 iconst_0 ladd return")),
        ("ladd_of_float", m("()V", (2, 0), "fconst_0 ladd return")),
        ("ladd_of_long_and_int", m("()V", (4, 0), "lconst_0 iconst_0 ladd return")),
        ("ladd_of_int_and_long", m("()V", (4, 0), "iconst_0 iconst_0 lconst_0 ladd return")),
        ("ladd_of_nothing", m("()V", (4, 0), "ladd return")),
        ("ladd_of_double", m("()V", (4, 0), "dconst_0 lconst_1 ladd return")),
        ("dmul_of_long", m("()V", (4, 0), "dconst_0 lconst_1 dmul return")),
        ("fadd_of_int", m("()V", (4, 0), "iconst_0 fconst_0 fadd return")),
        ("lshl_by_long", m("()V", (4, 0), "lconst_0 lconst_0 lshl return")),
        ("lshl", m("()V", (4, 0), "lconst_0 iconst_0 lshl pop2 return")),
        ("istore_float", m("()V", (1, 1), "fconst_0 istore_0 return")),
        ("iload_of_float", m("(F)V", (1, 1), "iload_0 pop return")),
        ("iload_of_top", m("()V", (1, 1), "iload_0 pop return")),
        ("iload_overflow", m("()V", (1, 0), "iload_0 pop return")),
        ("aload_of_int", m("(I)V", (1, 1), "aload_0 pop return")),
        ("lload_overflow", m("()V", (2, 3), "lload u1:2 pop2 return")),
        ("lload_of_int", m("(II)V", (2, 2), "lload_0 pop2 return")),
        ("lload_of_double", m("(D)V", (2, 2), "lload_0 pop2 return")),
        ("lload_of_half", m("(J)V", (2, 2), "iconst_0 istore_1 lload_0 pop2 return")),
        ("lload_of_other_half", m("(J)V", (2, 2), "iconst_0 istore_0 lload_0 pop2 return")),
        ("lload_overlapping", m("(JI)V", (2, 4), "lload_0 lstore_1 lload_0 pop2 return")),
        ("lload_overlapping_down", m("(IJ)V", (2, 4), "lload_1 lstore_0 lload_1 pop2 return")),
        ("istore_overflow", m("()V", (1, 1), "iconst_0 istore_1 return")),
        ("lstore_overflow", m("()V", (2, 1), "lconst_0 lstore_0 return")),
        ("astore_of_int", m("()V", (1, 1), "iconst_0 astore_0 return")),
        ("iinc_of_float", m("(F)V", (1, 1), "iinc u1:0 u1:1 return")),
        ("iinc_overflow", m("(F)V", (1, 1), "iinc u1:9 u1:1 return")),
        ("iaload_of_float", m("([F)V", (2, 1), "aload_0 iconst_0 iaload return")),
        ("iaload_of_null", m("()V", (2, 1), "aconst_null iconst_0 iaload pop return")),
        ("laload_of_string", m("(Ljava/lang/String;)V", (2, 1), "aload_0 iconst_0 laload return")),
        ("faload_of_int", m("([I)V", (2, 1), "aload_0 iconst_0 faload return")),
        ("daload_of_long", m("([J)V", (2, 1), "aload_0 iconst_0 daload return")),
        ("baload_of_char", m("([C)V", (2, 1), "aload_0 iconst_0 baload return")),
        ("baload_of_boolean", m("([Z)V", (2, 1), "aload_0 iconst_0 baload pop return")),
        ("caload_of_short", m("([S)V", (2, 1), "aload_0 iconst_0 caload return")),
        ("saload_of_char", m("([C)V", (2, 1), "aload_0 iconst_0 saload return")),
        ("aaload_of_int", m("([I)V", (2, 1), "aload_0 iconst_0 aaload return")),
        (
            "aaload_of_arrays",
            m("([[I)V", (2, 1), "aload_0 iconst_0 aaload iconst_0 iaload pop return"),
        ),
        (
            "aaload_component",
            m(
                "([Ljava/lang/String;)V",
                (2, 1),
                "aload_0 iconst_0 aaload iconst_0 iaload pop return",
            ),
        ),
        ("aaload_index", m("([Ljava/lang/String;F)V", (2, 2), "aload_0 fload_1 aaload return")),
        ("iastore_of_float", m("([I)V", (3, 1), "aload_0 iconst_0 fconst_0 iastore return")),
        ("iastore_in_float", m("([F)V", (3, 1), "aload_0 iconst_0 iconst_0 iastore return")),
        ("lastore_of_int", m("([J)V", (3, 1), "aload_0 iconst_0 iconst_0 lastore return")),
        ("lastore_in_double", m("([D)V", (4, 1), "aload_0 iconst_0 lconst_0 lastore return")),
        ("fastore_in_int", m("([I)V", (3, 1), "aload_0 iconst_0 fconst_0 fastore return")),
        ("dastore_in_float", m("([F)V", (4, 1), "aload_0 iconst_0 dconst_0 dastore return")),
        ("bastore_in_int", m("([I)V", (3, 1), "aload_0 iconst_0 iconst_0 bastore return")),
        ("castore_in_byte", m("([B)V", (3, 1), "aload_0 iconst_0 iconst_0 castore return")),
        ("sastore_in_boolean", m("([Z)V", (3, 1), "aload_0 iconst_0 iconst_0 sastore return")),
        ("aastore_in_int", m("([I)V", (3, 1), "aload_0 iconst_0 aconst_null aastore return")),
        (
            "aastore_of_int",
            m("([Ljava/lang/String;)V", (3, 1), "aload_0 iconst_0 iconst_0 aastore return"),
        ),
        (
            "aastore_unchecked",
            m("([Ljava/lang/String;[I)V", (3, 2), "aload_0 iconst_0 aload_1 aastore return"),
        ),
        ("pop_of_long", m("()V", (2, 1), "lconst_0 pop return")),
        ("pop2_of_int_and_long", m("()V", (3, 1), "lconst_0 iconst_0 pop2 return")),
        ("dup_of_long", m("()V", (3, 1), "lconst_0 dup return")),
        ("dup_x1_of_long", m("()V", (4, 1), "lconst_0 iconst_0 dup_x1 return")),
        ("dup_x2_of_long", m("()V", (4, 1), "lconst_0 iconst_0 dup_x2 pop pop2 pop return")),
        ("dup_x2_of_int_and_long", m("()V", (5, 1), "lconst_0 iconst_0 iconst_0 dup_x2 return")),
        ("dup2_of_int_and_long", m("()V", (5, 1), "lconst_0 iconst_0 dup2 return")),
        ("dup2_x1_of_long", m("()V", (5, 1), "iconst_0 lconst_0 dup2_x1 pop2 pop pop2 return")),
        ("dup2_x1_over_long", m("()V", (6, 1), "lconst_0 lconst_0 dup2_x1 return")),
        (
            "dup2_x2_of_long",
            m("()V", (6, 1), "lconst_0 dconst_0 dup2_x2 pop2 pop2 dstore_0 return"),
        ),
        ("dup2_x2_split", m("()V", (7, 2), "lconst_0 iconst_0 dconst_0 dup2_x2 return")),
        ("swap_of_long", m("()V", (3, 1), "iconst_0 lconst_0 swap return")),
        ("l2i_of_int", m("()V", (3, 1), "iconst_0 l2i return")),
        ("i2l_of_long", m("()V", (3, 1), "lconst_0 i2l return")),
        ("f2d_of_int", m("()V", (3, 1), "iconst_0 f2d return")),
        ("d2f_of_long", m("()V", (3, 1), "lconst_0 d2f return")),
        ("i2b_of_float", m("()V", (3, 1), "fconst_0 i2b return")),
        ("lcmp_of_double", m("()V", (4, 1), "lconst_0 dconst_0 lcmp return")),
        ("fcmpl_of_int", m("()V", (4, 1), "fconst_0 iconst_0 fcmpl return")),
        ("dcmpg_of_float", m("()V", (4, 1), "dconst_0 fconst_0 fconst_0 dcmpg return")),
        (
            "conversions",
            m(
                "()V",
                (4, 0),
                "iconst_0 i2l l2f f2d d2i i2f f2l l2d d2l l2i i2d d2f f2i i2b i2c i2s pop return",
            ),
        ),
        ("return_in_int", m("()I", (1, 0), "return")),
        ("ireturn_in_void", m("()V", (1, 0), "iconst_0 ireturn")),
        ("lreturn_in_void", m("()V", (3, 0), "iconst_0 lconst_0 lreturn")),
        ("freturn_in_int", m("()I", (1, 0), "fconst_0 freturn")),
        ("lreturn_in_int", m("()I", (2, 0), "lconst_0 lreturn")),
        ("ireturn_in_boolean", m("()Z", (1, 0), "iconst_0 ireturn")),
        ("ireturn_in_float", m("()F", (1, 0), "iconst_0 ireturn")),
        ("dreturn_of_long", m("()D", (2, 0), "lconst_0 dreturn")),
        ("areturn_of_int", m("()Ljava/lang/String;", (1, 0), "iconst_0 areturn")),
        (
            "areturn_of_object",
            m("(Ljava/lang/Object;)Ljava/lang/String;", (1, 1), "aload_0 areturn"),
        ),
        (
            "areturn_of_subclass",
            m("(Ljava/lang/Integer;)Ljava/lang/Number;", (1, 1), "aload_0 areturn"),
        ),
        (
            "areturn_of_superclass",
            m("(Ljava/lang/Number;)Ljava/lang/Integer;", (1, 1), "aload_0 areturn"),
        ),
        ("areturn_in_int", m("()I", (1, 0), "aconst_null areturn")),
        ("areturn_interface", m("(Ljava/lang/String;)Lp/I;", (1, 1), "aload_0 areturn")),
        ("areturn_array_as_interface", m("([I)Lp/I;", (1, 1), "aload_0 areturn")),
        ("areturn_array_as_cloneable", m("([I)Ljava/lang/Cloneable;", (1, 1), "aload_0 areturn")),
        ("areturn_array_as_class", m("([I)Ljava/lang/String;", (1, 1), "aload_0 areturn")),
        ("areturn_class_as_array", m("(Ljava/lang/String;)[I", (1, 1), "aload_0 areturn")),
        ("areturn_int_array_as_byte_array", m("([I)[B", (1, 1), "aload_0 areturn")),
        ("areturn_int_array_as_objects", m("([I)[Ljava/lang/Object;", (1, 1), "aload_0 areturn")),
        ("areturn_arrays_as_objects", m("([[I)[Ljava/lang/Object;", (1, 1), "aload_0 areturn")),
        (
            "areturn_arrays_as_cloneables",
            m("([[I)[Ljava/lang/Cloneable;", (1, 1), "aload_0 areturn"),
        ),
        (
            "areturn_covariant_array",
            m("([[Ljava/lang/Integer;)[[Ljava/lang/Number;", (1, 1), "aload_0 areturn"),
        ),
        (
            "areturn_contravariant_array",
            m("([[Ljava/lang/Number;)[[Ljava/lang/Integer;", (1, 1), "aload_0 areturn"),
        ),
        ("areturn_missing_target", m("(Ljava/lang/String;)Lno/Such;", (1, 1), "aload_0 areturn")),
        ("areturn_missing_source", m("(Lno/Such;)Ljava/lang/String;", (1, 1), "aload_0 areturn")),
        (
            "areturn_missing_as_interface",
            m("(Lno/Such;)Ljava/lang/Runnable;", (1, 1), "aload_0 areturn"),
        ),
        ("areturn_missing_same", m("(Lno/Such;)Lno/Such;", (1, 1), "aload_0 areturn")),
        ("athrow_of_string", m("(Ljava/lang/String;)V", (1, 1), "aload_0 athrow")),
        ("athrow_of_null", m("()V", (1, 1), "aconst_null athrow")),
        ("athrow_of_exception", m("(Ljava/io/IOException;)V", (1, 1), "aload_0 athrow")),
        ("monitorenter_of_int", m("()V", (1, 1), "iconst_0 monitorenter return")),
        (
            "arraylength_of_string",
            m("(Ljava/lang/String;)V", (1, 1), "aload_0 arraylength pop return"),
        ),
        ("arraylength_of_int", m("()V", (1, 1), "iconst_0 arraylength pop return")),
        (
            "arraylength",
            m("([[J)V", (1, 1), "aload_0 arraylength pop aconst_null arraylength pop return"),
        ),
    ]
}

fn frames() -> Vec<(&'static str, Method)> {
    let wide = "aload_0 ifnull u2:4 nop return";
    vec![
        ("if", m("(I)V", (1, 1), "iload_0 ifeq u2:4 nop return").frames("u1:5")),
        ("if_without_frame", m("(I)V", (1, 1), "iload_0 ifeq u2:4 nop return")),
        ("if_of_float", m("(F)V", (1, 1), "fload_0 ifeq u2:4 nop return").frames("u1:5")),
        ("if_icmp_of_one", m("(I)V", (1, 1), "iload_0 if_icmpeq u2:4 nop return").frames("u1:5")),
        (
            "if_acmp_of_int",
            m("(I)V", (2, 1), "aconst_null iload_0 if_acmpeq u2:4 nop return").frames("u1:6"),
        ),
        ("ifnull_of_int", m("(I)V", (1, 1), wide)),
        ("ifnull", m("([I)V", (1, 1), wide).frames("u1:5")),
        ("goto_middle", m("(I)V", (1, 1), "goto u2:4 sipush u2:5 return").frames("u1:4")),
        ("goto_elsewhere", m("(I)V", (1, 1), "goto u2:3 return").frames("u1:3")),
        ("goto_without_frame", m("(I)V", (1, 1), "goto u2:4 nop return")),
        ("goto_frame_later", m("(I)V", (1, 1), "goto u2:4 nop return").frames("u1:4")),
        ("goto_no_frame_after", m("(I)V", (1, 1), "goto u2:3 return nop return").frames("u1:3")),
        ("goto_negative", m("(I)V", (1, 1), "goto u2:-5 return").frames("u1:3")),
        ("goto_w_far", m("(I)V", (1, 1), "goto_w u4:65536 return").frames("u1:5")),
        ("goto_w_very_far", m("(I)V", (1, 1), "nop goto_w u4:-2147483648 return").frames("u1:6")),
        ("goto_w", m("(I)V", (1, 1), "goto_w u4:5 return").frames("u1:5")),
        ("jump_stack_size", m("(I)V", (2, 1), "iload_0 iload_0 ifeq u2:3 return").frames("u1:5")),
        (
            "jump_stack_type",
            m("(I)V", (2, 1), "iload_0 iload_0 ifeq u2:3 return").frames("u1:69 F"),
        ),
        (
            "jump_local_type",
            m("(I)V", (2, 1), "iload_0 ifeq u2:3 return").frames("u1:255 u2:4 u2:1 F u2:0"),
        ),
        (
            "jump_local_unset",
            m("(I)V", (2, 3), "iload_0 ifeq u2:3 return").frames("u1:253 u2:4 T I"),
        ),
        ("fall_stack_size", m("(I)V", (2, 1), "iload_0 return").frames("u1:1")),
        ("fall_stack_type", m("(I)V", (2, 1), "iload_0 return").frames("u1:65 O:java/lang/Object")),
        ("fall_local_type", m("(IJ)V", (2, 3), "nop return").frames("u1:255 u2:1 u2:2 I D u2:0")),
        (
            "fall_flags",
            init("()V", (1, 1), "nop aload_0 invokespecial mth:java/lang/Object.<init>:()V return")
                .frames("u1:255 u2:1 u2:1 T u2:0"),
        ),
        (
            "fall_other_class",
            m("(Ljava/lang/String;)V", (2, 1), "nop return")
                .frames("u1:255 u2:1 u2:1 O:java/lang/Integer u2:0"),
        ),
        (
            "fall_less_known",
            m("(Ljava/lang/String;J)V", (2, 3), "nop return")
                .frames("u1:255 u2:1 u2:1 O:java/lang/Object u2:0"),
        ),
        (
            "after_smaller_frame",
            m("(IJ)V", (2, 3), "nop lload_1 return").frames("u1:255 u2:1 u2:1 I u2:0"),
        ),
        (
            "frames_for_all",
            m("(IJ)V", (2, 3), "nop nop nop nop nop return").frames(
                "u1:0;u1:251 u2:0;u1:250 u2:0;u1:252 u2:0 J;u1:255 u2:0 u2:2 I J u2:0;u1:0",
            ),
        ),
        ("frame_in_instruction", m("()V", (2, 3), "sipush u2:5 pop return").frames("u1:1")),
        ("frame_beyond_code", m("()V", (2, 3), "return").frames("u1:9")),
        ("frame_at_code_end", m("()V", (2, 3), "return").frames("u1:1")),
        ("second_frame_beyond", m("(I)V", (2, 3), "nop return").frames("u1:64 I; u1:251 u2:500")),
        (
            "tableswitch",
            m("(I)V", (1, 1), "iload_0 tableswitch align u4:19 u4:0 u4:0 u4:19 return")
                .frames("u1:20"),
        ),
        (
            "tableswitch_no_frame",
            m("(I)V", (1, 1), "iload_0 tableswitch align u4:19 u4:0 u4:0 u4:20 return nop")
                .frames("u1:20"),
        ),
        (
            "tableswitch_low_above_high",
            m("(I)V", (1, 1), "iload_0 tableswitch align u4:19 u4:1 u4:0 u4:19 return")
                .frames("u1:20"),
        ),
        (
            "tableswitch_huge",
            m(
                "(I)V",
                (1, 1),
                "iload_0 tableswitch align u4:19 u4:-2147483648 u4:2147483647 u4:19 return",
            ),
        ),
        ("tableswitch_cut", m("(I)V", (1, 1), "iload_0 tableswitch align u4:19 u4:0 u4:0")),
        (
            "tableswitch_of_float",
            m("(F)V", (1, 1), "fload_0 tableswitch align u4:19 u4:0 u4:0 u4:19 return")
                .frames("u1:20"),
        ),
        (
            "lookupswitch",
            m(
                "(I)V",
                (1, 1),
                "iload_0 lookupswitch align u4:27 u4:2 u4:-3 u4:27 u4:5 u4:27 return",
            )
            .frames("u1:28"),
        ),
        (
            "lookupswitch_unsorted",
            m("(I)V", (1, 1), "iload_0 lookupswitch align u4:27 u4:2 u4:5 u4:27 u4:5 u4:27 return")
                .frames("u1:28"),
        ),
        (
            "lookupswitch_negative",
            m("(I)V", (1, 1), "iload_0 lookupswitch align u4:11 u4:-1 return").frames("u1:12"),
        ),
        (
            "lookupswitch_empty",
            m("(I)V", (1, 1), "iload_0 lookupswitch align u4:11 u4:0 return").frames("u1:12"),
        ),
        (
            "lookupswitch_empty_at_end",
            m("(I)V", (1, 1), "return iload_0 lookupswitch align u4:-2 u4:0").frames("u1:0;u1:0"),
        ),
        (
            "lookupswitch_padding",
            m("(I)V", (1, 1), "iload_0 lookupswitch u1:1 u1:2 u4:11 u4:0 return").frames("u1:12"),
        ),
        (
            "loop",
            m(
                "(I)V",
                (2, 2),
                "iconst_0 istore_1 iinc u1:1 u1:1 iload_1 iload_0 if_icmplt u2:-5 return",
            )
            .frames("u1:252 u2:2 I"),
        ),
        (
            "loop_with_new",
            m("(I)V", (2, 2), "new cls:java/lang/Object iload_0 ifne u2:-1 pop return")
                .frames("u1:67 new:0"),
        ),
    ]
}

fn objects() -> Vec<(&'static str, Method)> {
    let new = "new cls:java/lang/Object";
    vec![
        ("new", m("()V", (2, 0), &format!("{new} dup invokespecial {OBJECT_INIT} pop return"))),
        ("new_used_uninitialized", m("()Ljava/lang/Object;", (2, 0), &format!("{new} areturn"))),
        ("new_stored", m("()V", (2, 1), &format!("{new} astore_0 aload_0 invokespecial {OBJECT_INIT} return"))),
        ("new_twice", m("()V", (2, 1), &format!("{new} dup invokespecial {OBJECT_INIT} invokespecial {OBJECT_INIT} return"))),
        ("new_wrong_class", m("()V", (2, 1), "new cls:java/lang/String invokespecial mth:java/lang/Object.<init>:()V return")),
        ("new_array", m("()V", (2, 1), "new cls:[I pop return")),
        ("new_of_string_constant", m("()V", (2, 1), "new str:x pop return")),
        ("new_index_0", m("()V", (2, 1), "new u2:0 pop return")),
        ("new_index_beyond", m("()V", (2, 1), "new u2:999 pop return")),
        ("new_monitorenter", m("()V", (2, 1), &format!("{new} monitorenter return"))),
        ("new_ifnull", m("()V", (2, 1), &format!("{new} ifnull u2:3 return")).frames("u1:6")),
        ("new_arraylength", m("()V", (2, 1), &format!("{new} arraylength return"))),
        ("new_method_call", m("()V", (2, 1), &format!("{new} invokevirtual mth:java/lang/Object.hashCode:()I pop return"))),
        ("init_of_initialized", m("(Ljava/lang/Object;)V", (2, 1), &format!("aload_0 invokespecial {OBJECT_INIT} return"))),
        ("init_of_null", m("()V", (2, 1), &format!("aconst_null invokespecial {OBJECT_INIT} return"))),
        ("init_of_int", m("()V", (2, 1), &format!("iconst_0 invokespecial {OBJECT_INIT} return"))),
        ("init_virtual", m("()V", (2, 1), &format!("{new} invokevirtual {OBJECT_INIT} return"))),
        ("clinit_call", m("()V", (2, 1), "invokestatic mth:T.<clinit>:()V return")),
        ("constructor", init("()V", (1, 1), &format!("aload_0 invokespecial {OBJECT_INIT} return"))),
        ("constructor_without_call", init("()V", (1, 1), "return")),
        ("constructor_own_call", init("()V", (1, 1), "aload_0 invokespecial mth:T.<init>:()V return")),
        ("constructor_wrong_call", init("()V", (1, 1), "aload_0 invokespecial mth:java/lang/String.<init>:()V return")),
        ("constructor_leaks_this", init("()V", (1, 1), "aload_0 invokestatic mth:T.m:(LT;)V return")),
        ("constructor_in_try", init("()V", (1, 2), &format!("aload_0 invokespecial {OBJECT_INIT} return astore_1 aload_1 athrow")).frames("u1:255 u2:5 u2:1 U u2:1 O:java/lang/Throwable").handler(0, 4, 5, "")),
        ("constructor_in_try_returns", init("()V", (1, 2), &format!("aload_0 invokespecial {OBJECT_INIT} return astore_1 return")).frames("u1:255 u2:5 u2:1 T u2:1 O:java/lang/Throwable").handler(0, 4, 5, "")),
        ("constructor_flag_returns", init("()V", (1, 2), &format!("aload_0 invokespecial {OBJECT_INIT} return astore_1 return")).frames("u1:255 u2:5 u2:1 U u2:1 O:java/lang/Throwable").handler(0, 4, 5, "")),
        ("constructor_handler_branches", init("()V", (1, 2), &format!("aload_0 invokespecial {OBJECT_INIT} return astore_1 aload_1 ifnull u2:5 aload_1 athrow aconst_null athrow")).frames("u1:255 u2:5 u2:1 U u2:1 O:java/lang/Throwable;u1:255 u2:5 u2:2 U O:java/lang/Throwable u2:0").handler(0, 4, 5, "")),
        ("constructor_handler_branch_returns", init("()V", (1, 2), &format!("aload_0 invokespecial {OBJECT_INIT} return astore_1 aload_1 ifnull u2:5 aload_1 athrow return")).frames("u1:255 u2:5 u2:1 U u2:1 O:java/lang/Throwable;u1:255 u2:5 u2:2 U O:java/lang/Throwable u2:0").handler(0, 4, 5, "")),
        ("constructor_handler_loops", init("()V", (1, 2), &format!("aload_0 invokespecial {OBJECT_INIT} return astore_1 goto u2:0")).frames("u1:255 u2:5 u2:1 U u2:1 O:java/lang/Throwable;u1:255 u2:0 u2:2 U O:java/lang/Throwable u2:0").handler(0, 4, 5, "")),
        ("constructor_handler_loops_back", init("()V", (1, 2), &format!("aload_0 invokespecial {OBJECT_INIT} return astore_1 aload_1 ifnonnull u2:-1 return")).frames("u1:255 u2:5 u2:1 U u2:1 O:java/lang/Throwable;u1:255 u2:0 u2:2 U O:java/lang/Throwable u2:0").handler(0, 4, 5, "")),
        ("constructor_handler_switches", init("()V", (1, 2), &format!("aload_0 invokespecial {OBJECT_INIT} return pop iconst_0 tableswitch align u4:17 u4:0 u4:0 u4:21 nop nop aconst_null athrow aconst_null athrow")).frames("u1:255 u2:5 u2:1 U u2:1 O:java/lang/Throwable;u1:255 u2:18 u2:1 U u2:0;u1:3").handler(0, 4, 5, "")),
        ("constructor_handler_nested", init("()V", (1, 2), &format!("aload_0 invokespecial {OBJECT_INIT} return athrow athrow pop return")).frames("u1:255 u2:5 u2:1 U u2:1 O:java/lang/Throwable;u1:255 u2:0 u2:1 U u2:1 O:java/lang/Throwable;u1:255 u2:0 u2:1 U u2:1 O:java/lang/Throwable").handler(0, 4, 5, "").handler(5, 6, 7, "")),
        ("constructor_two_handlers", init("()V", (1, 2), &format!("aload_0 invokespecial {OBJECT_INIT} return athrow pop return")).frames("u1:255 u2:5 u2:1 U u2:1 O:java/lang/Throwable;u1:255 u2:0 u2:1 U u2:1 O:java/lang/Throwable").handler(0, 4, 5, "java/lang/Error").handler(0, 4, 6, "")),
        ("newarray_type_3", m("()V", (1, 1), "iconst_0 newarray u1:3 pop return")),
        ("newarray_type_12", m("()V", (1, 1), "iconst_0 newarray u1:12 pop return")),
        ("newarray_of_float", m("()V", (1, 1), "fconst_0 newarray u1:10 pop return")),
        ("newarray", m("()V", (2, 1), "iconst_0 newarray u1:4 iconst_0 baload newarray u1:11 iconst_0 laload l2i newarray u1:9 iconst_0 saload newarray u1:6 iconst_0 iaload return")),
        ("anewarray", m("()V", (2, 1), "iconst_0 anewarray cls:[I iconst_0 aaload iconst_0 iaload anewarray cls:java/lang/String iconst_0 aaload iconst_0 iaload return")),
        ("anewarray_of_string_constant", m("()V", (2, 1), "iconst_0 anewarray str:x pop return")),
        ("multianewarray", m("()V", (2, 1), "iconst_0 iconst_0 multianewarray cls:[[I u1:2 iconst_0 iaload return")),
        ("multianewarray_of_class", m("()V", (2, 1), "iconst_0 multianewarray cls:java/lang/String u1:1 pop return")),
        ("multianewarray_0", m("()V", (2, 1), "multianewarray cls:[[I u1:0 pop return")),
        ("multianewarray_3_of_2", m("()V", (3, 1), "iconst_0 iconst_0 iconst_0 multianewarray cls:[[I u1:3 pop return")),
        ("multianewarray_of_float", m("()V", (3, 1), "fconst_0 iconst_0 multianewarray cls:[[I u1:2 pop return")),
        ("checkcast_of_int", m("()V", (3, 1), "iconst_0 checkcast cls:java/lang/String pop return")),
        ("checkcast_of_new", m("()V", (3, 1), &format!("{new} checkcast cls:java/lang/String pop return"))),
        ("checkcast", m("(Ljava/lang/Object;)Ljava/lang/String;", (3, 1), "aload_0 checkcast cls:java/lang/String areturn")),
        ("instanceof_of_int", m("()V", (3, 1), "iconst_0 instanceof cls:java/lang/String pop return")),
        ("instanceof_string_constant", m("()V", (3, 1), "aconst_null instanceof str:x pop return")),
    ]
}

fn constants() -> Vec<(&'static str, Method)> {
    vec![
        ("ldc", m("()V", (8, 1), "ldc 1:str:x ldc 1:int:5 ldc 1:float:0 ldc 1:cls:no/Such ldc 1:mtype:()V ldc2_w long:1 ladd return")),
        ("ldc_index_0", m("()V", (2, 1), "ldc u1:0 return")),
        ("ldc_index_beyond", m("()V", (2, 1), "ldc u1:200 return")),
        ("ldc_of_long", m("()V", (2, 1), "ldc 1:long:5 return")),
        ("ldc_of_utf8", m("()V", (2, 1), "ldc 1:utf8:x return")),
        ("ldc2_w_of_int", m("()V", (2, 1), "ldc2_w int:5 return")),
        ("ldc2_w_of_class", m("()V", (2, 1), "ldc2_w cls:T return")),
        ("ldc2_w_of_second_half", m("()V", (4, 1), "ldc2_w long:5 ldc2_w u2:9 return")),
        ("ldc_dynamic", m("()I", (4, 1), "ldc 1:dyn:a:I ldc_w dyn:b:Ljava/lang/String; iadd return")),
        ("ldc_dynamic_of_long", m("()I", (4, 1), "ldc 1:dyn:a:J return")),
        ("ldc2_w_dynamic", m("()I", (4, 1), "ldc2_w dyn:a:D lreturn")),
        ("ldc2_w_dynamic_of_int", m("()I", (4, 1), "ldc2_w dyn:a:I lreturn")),
        ("ldc_method_handle", m("()I", (4, 1), "ldc 1:mh:T.x:()V ireturn")),
        ("getstatic", m("()V", (2, 1), "getstatic fld:no/Such.a:J pop2 getstatic fld:no/Such.b:Z pop iconst_0 putstatic fld:no/Such.c:B return")),
        ("getstatic_of_method", m("()V", (2, 1), "getstatic mth:no/Such.a:()V return")),
        ("putstatic_wrong_type", m("()V", (2, 1), "iconst_0 putstatic fld:no/Such.c:F return")),
        ("putstatic_long_as_int", m("()V", (2, 1), "lconst_0 putstatic fld:no/Such.c:I return")),
        ("putstatic_reference", m("(Ljava/lang/String;)V", (2, 1), "aload_0 putstatic fld:no/Such.c:Ljava/lang/Integer; return")),
        ("getfield_wrong_class", m("(Ljava/lang/String;)V", (2, 1), "aload_0 getfield fld:java/lang/Integer.c:F return")),
        ("getfield_of_array_class", m("([I)V", (2, 1), "aload_0 getfield fld:[I.length:I pop return")),
        ("getstatic_of_array_class", m("([I)V", (2, 1), "getstatic fld:[I.length:I pop return")),
        ("getfield_overflow", m("(LT;)V", (1, 1), "aload_0 getfield fld:T.c:J return")),
        ("putfield_wrong_value", m("(LT;)V", (2, 1), "aload_0 iconst_0 putfield fld:T.c:F return")),
        ("putfield_wrong_object", m("(Ljava/lang/String;)V", (2, 1), "aload_0 iconst_0 putfield fld:T.c:I return")),
        ("putfield_of_int", m("(Ljava/lang/String;)V", (2, 1), "iconst_0 iconst_0 putfield fld:T.c:I return")),
        ("invokestatic", m("()V", (4, 1), "iconst_0 lconst_0 aconst_null invokestatic mth:no/Such.a:(IJ[LX;)D d2l pop2 return")),
        ("invokestatic_wrong_argument", m("()V", (4, 1), "iconst_0 lconst_0 invokestatic mth:no/Such.a:(JI)V return")),
        ("invokestatic_of_field", m("()V", (4, 1), "invokestatic fld:no/Such.a:I return")),
        ("invokevirtual_wrong_receiver", m("()V", (4, 1), "iconst_0 invokevirtual mth:java/lang/String.length:()I return")),
        ("invokevirtual_of_interface", m("()V", (4, 1), "aconst_null invokevirtual imth:p/I.m:()V return")),
        ("invokevirtual_underflow", m("()V", (4, 1), "invokevirtual mth:java/lang/String.length:()I return")),
        ("invokevirtual_overflow", m("()V", (1, 1), "aconst_null invokevirtual mth:java/lang/String.length:()J return")),
        ("invokeinterface", m("(Ljava/lang/String;)V", (3, 1), "aload_0 lconst_0 invokeinterface imth:p/I.m:(J)V u1:3 u1:0 return")),
        ("invokeinterface_count", m("(Ljava/lang/String;)V", (3, 1), "aload_0 lconst_0 invokeinterface imth:p/I.m:(J)V u1:2 u1:0 return")),
        ("invokeinterface_zero", m("(Ljava/lang/String;)V", (3, 1), "aload_0 lconst_0 invokeinterface imth:p/I.m:(J)V u1:3 u1:1 return")),
        ("invokeinterface_of_method", m("(Ljava/lang/String;)V", (3, 1), "aload_0 invokeinterface mth:p/I.m:()V u1:1 u1:0 return")),
        ("invokeinterface_of_array", m("([I)V", (3, 1), "aload_0 invokeinterface imth:p/I.m:()V u1:1 u1:0 return")),
        ("invokedynamic", m("()V", (2, 1), "iconst_0 invokedynamic indy:run:(I)Ljava/lang/Runnable; u2:0 pop return")),
        ("invokedynamic_bytes", m("()V", (2, 1), "iconst_0 invokedynamic indy:run:(I)Ljava/lang/Runnable; u2:1 pop return")),
        ("invokedynamic_argument", m("()V", (2, 1), "fconst_0 invokedynamic indy:run:(I)Ljava/lang/Runnable; u2:0 pop return")),
        ("invokedynamic_of_method", m("()V", (2, 1), "invokedynamic mth:T.x:()V u2:0 pop return")),
        ("invokespecial_unrelated", im("(Ljava/lang/String;)V", (2, 2), "aload_1 invokespecial mth:java/lang/String.length:()I return")),
        ("invokespecial_object", im("()V", (2, 2), "aload_0 invokespecial mth:java/lang/Object.hashCode:()I pop return")),
        ("invokespecial_not_this", im("(Ljava/lang/String;)V", (2, 2), "aload_1 invokespecial mth:java/lang/Object.hashCode:()I pop return")),
        ("invokespecial_own", im("()V", (2, 2), "aload_0 invokespecial mth:T.m:()V return")),
        ("invokespecial_interface", im("()V", (2, 2), "aload_0 invokespecial imth:p/I.m:()V return")),
        ("clone_of_array", m("([I)V", (2, 2), "aload_0 invokevirtual mth:java/lang/Object.clone:()Ljava/lang/Object; pop return")),
        ("clone_of_string", m("(Ljava/lang/String;)V", (2, 2), "aload_0 invokevirtual mth:java/lang/Object.clone:()Ljava/lang/Object; pop return")),
        ("clone_of_this", im("()V", (2, 2), "aload_0 invokevirtual mth:java/lang/Object.clone:()Ljava/lang/Object; pop return")),
        ("clone_of_object", m("(Ljava/lang/Object;)V", (2, 2), "aload_0 invokevirtual mth:java/lang/Object.clone:()Ljava/lang/Object; pop return")),
        ("finalize_of_array", m("([I)V", (2, 2), "aload_0 invokevirtual mth:java/lang/Object.finalize:()V return")),
        ("hash_code_of_string", m("(Ljava/lang/String;)V", (2, 2), "aload_0 invokevirtual mth:java/lang/Object.hashCode:()I pop return")),
    ]
}

fn handlers() -> Vec<(&'static str, Method)> {
    let code = "iconst_0 pop return astore_0 return";
    let frame = "u1:67 O:java/lang/Throwable";
    vec![
        ("handler", m("()V", (1, 1), code).frames(frame).handler(0, 2, 3, "")),
        (
            "handler_of_exception",
            m("()V", (1, 1), code).frames("u1:67 O:java/lang/Exception").handler(
                0,
                2,
                3,
                "java/io/IOException",
            ),
        ),
        (
            "handler_of_throwable",
            m("()V", (1, 1), code).frames(frame).handler(0, 2, 3, "java/lang/Throwable"),
        ),
        (
            "handler_of_string",
            m("()V", (1, 1), code).frames(frame).handler(0, 2, 3, "java/lang/String"),
        ),
        ("handler_of_missing", m("()V", (1, 1), code).frames(frame).handler(0, 2, 3, "no/Such")),
        ("handler_of_array", m("()V", (1, 1), code).frames(frame).handler(0, 2, 3, "[I")),
        (
            "handler_type",
            m("()V", (1, 1), code).frames("u1:67 O:java/lang/Exception").handler(0, 2, 3, ""),
        ),
        ("handler_without_frame", m("()V", (1, 1), code).handler(0, 2, 3, "")),
        (
            "handler_stack_size",
            m("()V", (1, 1), "iconst_0 pop return nop return").frames("u1:3").handler(0, 2, 3, ""),
        ),
        (
            "handler_locals",
            m("(I)V", (1, 1), "fconst_0 fstore_0 return astore_0 return")
                .frames("u1:67 O:java/lang/Throwable")
                .handler(0, 3, 3, ""),
        ),
        (
            "handler_store_before",
            m("(I)V", (1, 1), "fconst_0 fstore_0 return astore_0 return")
                .frames("u1:67 O:java/lang/Throwable")
                .handler(0, 2, 3, ""),
        ),
        (
            "handler_max_stack_0",
            m("()V", (0, 1), "nop return nop return").frames("u1:2").handler(0, 1, 2, ""),
        ),
        (
            "handler_start",
            m("()V", (1, 1), "sipush u2:0 pop return astore_0 return")
                .frames("u1:69 O:java/lang/Throwable")
                .handler(1, 3, 5, ""),
        ),
        (
            "handler_end",
            m("()V", (1, 1), "sipush u2:0 pop return astore_0 return")
                .frames("u1:69 O:java/lang/Throwable")
                .handler(0, 2, 5, ""),
        ),
        (
            "handler_pc",
            m("()V", (1, 1), "sipush u2:0 pop return astore_0 return")
                .frames("u1:69 O:java/lang/Throwable")
                .handler(0, 3, 1, ""),
        ),
        (
            "handler_to_end",
            m("()V", (1, 1), "iconst_0 pop astore_0 return")
                .frames("u1:66 O:java/lang/Throwable")
                .handler(0, 4, 2, ""),
        ),
        (
            "two_handlers",
            m(
                "(JLjava/lang/String;[I)Ljava/lang/Object;",
                (2, 5),
                "iconst_0 pop aload_2 areturn astore_2 aload_2 areturn",
            )
            .frames("u1:68 O:java/lang/Error")
            .handler(0, 2, 4, "java/lang/Error")
            .handler(0, 4, 4, "java/lang/Exception"),
        ),
        ("variable", m("()V", (1, 1), "sipush u2:0 pop return").variable(0, 5)),
        ("variable_start", m("()V", (1, 1), "sipush u2:0 pop return").variable(1, 4)),
        (
            "variable_length",
            m("(Ljava/lang/String;[[I)J", (1, 2), "sipush u2:0 pop return").variable(0, 2),
        ),
        (
            "handlers_and_variable",
            m("()V", (1, 1), "sipush u2:0 pop return").variable(1, 4).handler(1, 3, 0, ""),
        ),
    ]
}

fn maps() -> Vec<(&'static str, Method)> {
    let nops = "nop nop nop nop return";
    let method = |frames: &str| m("(IJ)V", (2, 4), nops).frames(frames);
    vec![
        ("map_empty", method("")),
        ("map_empty_attribute", method("").cut(2)),
        ("map_one_byte", method("").cut(1)),
        ("map_truncated", method("u1:251 u2:1").cut(1)),
        ("map_truncated_type", method("u1:252 u2:1 O:T").cut(1)),
        ("map_truncated_frame", method("u1:0; u1:0").cut(1)),
        ("map_truncated_full", method("u1:0; u1:255 u2:0 u2:5 I I").cut(1)),
        ("map_too_long", method("u1:0").cut(-1)),
        ("map_class_index", method("u1:252 u2:1 u1:7 u2:0")),
        ("map_class_index_2", method("u1:252 u2:1 u1:7 u2:1")),
        ("map_type_9", method("u1:252 u2:1 u1:9")),
        ("map_reserved", method("u1:200 u2:1")),
        ("map_reserved_truncated", method("u1:200")),
        ("map_uninitialized_offset", method("u1:252 u2:1 new:0")),
        ("map_uninitialized_beyond", method("u1:252 u2:1 new:99")),
        ("map_uninitialized_and_bad_type", method("u1:253 u2:1 new:99 u1:77")),
        ("map_uninitialized_and_size", method("u1:254 u2:1 new:99 I I")),
        ("map_chop", method("u1:250 u2:0")),
        ("map_chop_2", method("u1:249 u2:0")),
        ("map_chop_3", method("u1:248 u2:0")),
        ("map_append_too_many", method("u1:253 u2:0 I I")),
        ("map_append_long_too_many", method("u1:252 u2:0 J")),
        ("map_full_too_many_locals", method("u1:255 u2:0 u2:5 I I I I I u2:0")),
        ("map_full_too_many_operands", method("u1:255 u2:0 u2:0 u2:3 I I I")),
        ("map_one_operand_too_many", m("()V", (0, 0), nops).frames("u1:64 I")),
        ("map_one_operand_long", m("()V", (1, 0), nops).frames("u1:64 J")),
        ("map_extended_operand", m("()V", (1, 0), nops).frames("u1:247 u2:0 O:T")),
        ("map_details", m("(IJ)V", (2, 8), "iconst_0 ireturn nop nop nop return").frames("u1:254 u2:2 F O:[I N;u1:66 J;u1:255 u2:0 u2:3 I T D u2:1 O:java/lang/String;u1:250 u2:300")),
        ("map_details_truncated", m("(IJ)V", (2, 8), "u1:250").frames("u1:0;u1:252 u2:2 O:T").cut(1)),
        ("map_details_full_truncated", m("(IJ)V", (2, 8), "u1:250").frames("u1:0;u1:255 u2:2 u2:2 I I u2:1 I").cut(1)),
        ("map_details_reserved", m("(IJ)V", (2, 8), "u1:250").frames("u1:0;u1:130 u2:2 u2:2;u1:0")),
        ("map_details_bad_type", m("(IJ)V", (2, 8), "u1:250").frames("u1:247 u2:2 u1:10;u1:64 new:1;u1:251 u2:1;u1:251 u2:1").cut(2)),
    ]
}

fn classes() -> Vec<(&'static str, Class)> {
    let base = |methods: Vec<Method>| class(61, "p/Base", methods);
    let middle = |methods: Vec<Method>| class(61, "p/Middle", methods);
    let with_interface = |interface: &'static str, methods: Vec<Method>| Class {
        interfaces: vec![interface],
        ..class(61, "java/lang/Object", methods)
    };
    let own_field =
        |method: Method| Class { fields: vec![(0, "x", "I")], ..class(61, "p/Base", vec![method]) };
    let mut interface = class(
        61,
        "java/lang/Object",
        vec![im("()V", (1, 1), "aload_0 invokespecial mth:java/lang/Object.hashCode:()I return")],
    );
    interface.access = PUBLIC | INTERFACE;
    let mut deep = class(
        61,
        "java/lang/Object",
        vec![m("()V", (1, 0), &format!("iconst_0 anewarray cls:{}I pop return", "[".repeat(255)))],
    );
    let mut named = class(61, "java/lang/Object", vec![m("()V", (0, 0), "new u2:77 return")]);
    named.name = "some/pack/T".to_owned();
    let mut named_format = class(
        61,
        "java/lang/Object",
        vec![m("([[Lsome/pack/U;ZBCSIJFD)[J", (0, 11), "return").variable(7, 1)],
    );
    named_format.name = "some/pack/T".to_owned();
    let mut long_name = class(61, "java/lang/Object", vec![m("()V", (0, 0), "new u2:77 return")]);
    long_name.name = format!("some/pack/{}", "T".repeat(2100));
    deep.fields = vec![(0, "x", "I")];
    let accent = Class {
        name: "\u{e9}t\u{e9}".to_owned(),
        ..class(61, "java/lang/Object", vec![m("()V", (0, 0), "iconst_0 return")])
    };
    let v = |version: u16, method: Method| class(version, "java/lang/Object", vec![method]);
    vec![
        ("protected_field_of_this", base(vec![im("()V", (2, 1), "aload_0 getfield fld:p/Base.f:I pop aload_0 iconst_0 putfield fld:p/Base.f:I return")])),
        ("protected_field_of_base", base(vec![m("(Lp/Base;)V", (2, 1), "aload_0 getfield fld:p/Base.f:I pop return")])),
        ("protected_putfield_of_base", base(vec![m("(Lp/Base;)V", (2, 1), "aload_0 iconst_0 putfield fld:p/Base.f:I return")])),
        ("protected_field_of_other", base(vec![m("(Lp/Other;)V", (2, 1), "aload_0 getfield fld:p/Base.f:I pop return")])),
        ("protected_field_via_other", base(vec![m("(Lp/Other;)V", (2, 1), "aload_0 getfield fld:p/Other.f:I pop return")])),
        ("protected_field_via_middle", middle(vec![m("(Lp/Middle;)V", (2, 1), "aload_0 getfield fld:p/Middle.f:I pop return")])),
        ("public_field_of_base", base(vec![m("(Lp/Base;)V", (2, 1), "aload_0 getfield fld:p/Base.g:I pop return")])),
        ("protected_static", base(vec![m("()V", (2, 1), "getstatic fld:p/Base.s:I pop return")])),
        ("protected_method_of_this", base(vec![im("()V", (2, 1), "aload_0 invokevirtual mth:p/Base.pm:()V return")])),
        ("protected_method_of_base", base(vec![m("(Lp/Base;)V", (2, 1), "aload_0 invokevirtual mth:p/Base.pm:()V return")])),
        ("protected_method_of_grandparent", middle(vec![m("(Lp/Base;)V", (2, 1), "aload_0 invokevirtual mth:p/Base.pm:()V return")])),
        ("protected_method_of_array", base(vec![m("([I)V", (2, 1), "aload_0 invokevirtual mth:java/lang/Object.finalize:()V return")])),
        ("protected_method_of_null", base(vec![m("()V", (2, 1), "aconst_null invokevirtual mth:p/Base.pm:()V return")])),
        ("protected_init", base(vec![m("()V", (2, 1), &format!("new cls:p/Base dup invokespecial {BASE_INIT} return"))])),
        ("protected_super_init", base(vec![init("()V", (2, 1), &format!("aload_0 invokespecial {BASE_INIT} return"))])),
        ("grandparent_init", middle(vec![init("()V", (2, 1), &format!("aload_0 invokespecial {BASE_INIT} return"))])),
        ("field_before_init", own_field(init("()V", (2, 1), &format!("aload_0 iconst_0 putfield fld:T.x:I aload_0 invokespecial {BASE_INIT} return")))),
        ("inherited_field_before_init", own_field(init("()V", (2, 1), &format!("aload_0 iconst_0 putfield fld:T.f:I aload_0 invokespecial {BASE_INIT} return")))),
        ("base_field_before_init", own_field(init("()V", (2, 1), &format!("aload_0 iconst_0 putfield fld:p/Base.f:I aload_0 invokespecial {BASE_INIT} return")))),
        ("getfield_before_init", own_field(init("()V", (2, 1), "aload_0 getfield fld:T.x:I pop return"))),
        ("super_method", middle(vec![im("()V", (2, 1), "aload_0 invokespecial mth:p/Base.pm:()V return")])),
        ("super_method_of_other", middle(vec![im("()V", (2, 1), "aload_0 invokespecial mth:p/Other.pm:()V return")])),
        ("super_interface_method", with_interface("p/I", vec![im("()V", (2, 1), "aload_0 invokespecial imth:p/I.m:()V return")])),
        ("super_interface_method_indirect", with_interface("p/J", vec![im("()V", (2, 1), "aload_0 invokespecial imth:p/I.m:()V return")])),
        ("interface_invokespecial", interface),
        ("array_of_256_dimensions", deep),
        ("named", named),
        ("named_format", named_format),
        ("long_name", long_name),
        ("accent", accent),
        ("second_method", class(61, "java/lang/Object", vec![m("()V", (0, 0), "return"), method(PUBLIC, "second", "(I)V", (0, 2), "iload_1 return")])),
        ("v51_interface_static", v(51, m("()V", (0, 0), "invokestatic imth:p/I.s:()V return"))),
        ("v52_interface_static", v(52, m("()V", (0, 0), "invokestatic imth:p/I.s:()V return"))),
        ("v51_padding", v(51, m("(I)V", (1, 1), "iload_0 lookupswitch u1:1 u1:2 u4:11 u4:0 return").frames("u1:12"))),
        ("v50_padding", v(50, m("(I)V", (1, 1), "iload_0 lookupswitch u1:1 u1:2 u4:11 u4:0 return").frames("u1:12"))),
        ("v50_jsr", v(50, m("()V", (1, 1), "jsr u2:4 return astore_0 ret u1:0"))),
        ("v50_no_frames", v(50, m("(I)V", (1, 1), "iload_0 ifeq u2:4 nop return"))),
        ("v50_bad", v(50, m("(I)V", (1, 1), "fload_0 return"))),
        ("v50_truncated_map", v(50, m("(I)V", (1, 1), "return").frames("u1:9").cut(1))),
        ("v50_map_offset", v(50, m("(I)V", (1, 1), "return").frames("u1:9"))),
        ("v50_format", v(50, m("(I)V", (1, 1), "return").handler(5, 6, 7, ""))),
        ("v51_jsr", v(51, m("()V", (1, 1), "jsr u2:4 return astore_0 ret u1:0"))),
    ]
}
