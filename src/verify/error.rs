//! How a verification failure is told: HotSpot's "Exception Details" text.

use super::opcodes;
use super::types::{Names, VType, Want};
use crate::classfile::{descriptor::MethodDescriptor, mutf8, Code, FieldType, MemberInfo};

/// HotSpot formats each piece of a message in a buffer of 2,000 bytes; the rest is cut off.
const PIECE_LIMIT: usize = 1999;

/// A frame as a message shows it.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// Bytecode index.
    pub offset: i32,
    /// flagThisUninit
    pub this_uninit: bool,
    pub locals: Vec<VType>,
    pub stack: Vec<VType>,
}

/// Where a type that is complained about was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Local variable of the current frame.
    Local(usize),
    /// Operand stack slot of the current frame.
    Stack(usize),
    /// Local variable of the stack map frame.
    MapLocal(usize),
    /// Operand stack slot of the stack map frame.
    MapStack(usize),
    /// The constant pool entry with this index.
    Constant(u16),
    /// The method's descriptor.
    Signature,
    /// What the instruction demands.
    Implicit,
}

/// A type that is complained about, or demanded.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub ty: Want,
    pub place: Place,
    /// The frame that the place is in, shown below.
    pub frame: Option<Snapshot>,
}

impl Origin {
    /// A type demanded by the instruction.
    pub(super) fn implicit(ty: Want) -> Self {
        Origin { ty, place: Place::Implicit, frame: None }
    }
    /// The type of a constant pool entry.
    pub(super) fn constant(index: u16, ty: VType) -> Self {
        Origin { ty: Want::Type(ty), place: Place::Constant(index), frame: None }
    }
}

/// What went wrong.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// The instruction itself.
    Bytecode,
    /// A value's type; with what is demanded, if that is one type.
    Type(Origin, Option<Origin>),
    /// The flags of the current and the stack map frame.
    Flags(Snapshot, Snapshot),
    /// The constant pool index.
    ConstantIndex(u16),
    /// The local variable index.
    LocalIndex(u16),
    /// The depths of the operand stacks of the current and the stack map frame.
    StackSize(Snapshot, Snapshot),
    /// A push onto a full operand stack.
    StackOverflow(Snapshot),
    /// A pop from an empty one.
    StackUnderflow(Snapshot),
    /// No stack map frame where one is needed.
    NoStackMap,
    /// A stack map frame or jump that cannot be.
    BadStackMap(Snapshot),
}

/// Appends at most what fits HotSpot's buffer.
fn piece(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&text[..text.len().min(PIECE_LIMIT)]);
}

/// The text of a VerifyError about `method` of class `class`: `reason`, then the details.
pub(super) fn message(
    reason: &[u8],
    class: &[u8],
    method: &MemberInfo,
    code: &Code,
    bci: i32,
    fault: &Fault,
    names: &Names,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    piece(&mut out, reason);
    out.extend_from_slice(b"\nException Details:\n");
    location(&mut out, class, method, code, bci);
    out.extend_from_slice(b"  Reason:\n    ");
    explain(&mut out, fault, names);
    out.push(b'\n');
    let (current, map) = match fault {
        Fault::Type(ty, expected) => {
            (ty.frame.as_ref(), expected.as_ref().and_then(|origin| origin.frame.as_ref()))
        }
        Fault::Flags(current, map) | Fault::StackSize(current, map) => (Some(current), Some(map)),
        Fault::StackOverflow(frame) | Fault::StackUnderflow(frame) | Fault::BadStackMap(frame) => {
            (Some(frame), None)
        }
        Fault::Bytecode | Fault::ConstantIndex(_) | Fault::LocalIndex(_) | Fault::NoStackMap => {
            (None, None)
        }
    };
    if let Some(frame) = current {
        show_frame(&mut out, "Current Frame", frame, names);
    }
    if let Some(frame) = map {
        show_frame(&mut out, "Stackmap Frame", frame, names);
    }
    show_code(&mut out, code.code);
    if !code.exception_table.is_empty() {
        out.extend_from_slice(b"  Exception Handler Table:\n");
        for entry in &code.exception_table {
            let line = format!(
                "    bci [{}, {}] => handler: {}\n",
                entry.start_pc, entry.end_pc, entry.handler_pc
            );
            out.extend_from_slice(line.as_bytes());
        }
    }
    if let Some(table) = code.stack_map_table {
        out.extend_from_slice(b"  Stackmap Table:\n");
        show_stack_map_table(&mut out, table);
    }
    out
}

fn location(out: &mut Vec<u8>, class: &[u8], method: &MemberInfo, code: &Code, bci: i32) {
    let instruction = match usize::try_from(bci).ok().and_then(|bci| code.code.get(bci)) {
        Some(&opcode) => opcodes::name(opcode),
        None => "<invalid>",
    };
    let mut line = [class, b".", method.name, method.descriptor].concat();
    line.extend_from_slice(format!(" @{bci}: {instruction}").as_bytes());
    out.extend_from_slice(b"  Location:\n    ");
    line.truncate(PIECE_LIMIT - 1); // one less, for HotSpot's line feed is part of this piece
    out.extend_from_slice(&line);
    out.push(b'\n');
}

fn explain(out: &mut Vec<u8>, fault: &Fault, names: &Names) {
    let text = match fault {
        Fault::Bytecode => "Error exists in the bytecode".to_owned(),
        Fault::Type(ty, Some(expected)) => {
            out.extend_from_slice(b"Type ");
            show_origin(out, ty, names);
            out.extend_from_slice(b" is not assignable to ");
            show_origin(out, expected, names);
            return;
        }
        Fault::Type(ty, None) => {
            out.extend_from_slice(b"Invalid type: ");
            show_origin(out, ty, names);
            return;
        }
        Fault::Flags(..) => {
            "Current frame's flags are not assignable to stack map frame's.".to_owned()
        }
        Fault::ConstantIndex(index) => format!("Constant pool index {index} is invalid"),
        Fault::LocalIndex(index) => format!("Local index {index} is invalid"),
        Fault::StackSize(..) => "Current frame's stack size doesn't match stackmap.".to_owned(),
        Fault::StackOverflow(_) => "Exceeded max stack size.".to_owned(),
        Fault::StackUnderflow(_) => "Attempt to pop empty stack.".to_owned(),
        Fault::NoStackMap => "Expected stackmap frame at this location.".to_owned(),
        Fault::BadStackMap(_) => "Invalid stackmap specification.".to_owned(),
    };
    out.extend_from_slice(text.as_bytes());
}

fn show_origin(out: &mut Vec<u8>, origin: &Origin, names: &Names) {
    match origin.ty {
        Want::Type(ty) => names.print(ty, out),
        Want::Reference => out.extend_from_slice(b"reference type"),
        Want::Category1 => out.extend_from_slice(b"category1 type"),
        Want::Category2 => out.extend_from_slice(b"category2 type"),
    }
    let place = match origin.place {
        Place::Local(index) => format!(" (current frame, locals[{index}])"),
        Place::Stack(index) => format!(" (current frame, stack[{index}])"),
        Place::MapLocal(index) => format!(" (stack map, locals[{index}])"),
        Place::MapStack(index) => format!(" (stack map, stack[{index}])"),
        Place::Constant(index) => format!(" (constant pool {index})"),
        Place::Signature => " (from method signature)".to_owned(),
        Place::Implicit => String::new(),
    };
    out.extend_from_slice(place.as_bytes());
}

fn show_frame(out: &mut Vec<u8>, title: &str, frame: &Snapshot, names: &Names) {
    let flag = if frame.this_uninit { " flagThisUninit" } else { "" };
    let head =
        format!("  {title}:\n    bci: @{}\n    flags: {{{flag} }}\n    locals: {{", frame.offset);
    out.extend_from_slice(head.as_bytes());
    show_types(out, &frame.locals, names);
    out.extend_from_slice(b"    stack: {");
    show_types(out, &frame.stack, names);
}

fn show_types(out: &mut Vec<u8>, types: &[VType], names: &Names) {
    for (index, &ty) in types.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b" " } else { b", " });
        names.print(ty, out);
    }
    out.extend_from_slice(b" }\n");
}

/// The code in hexadecimal, 16 bytes a line, the last padded; one line more if that would be full.
fn show_code(out: &mut Vec<u8>, code: &[u8]) {
    out.extend_from_slice(b"  Bytecode:\n");
    for at in (0..(code.len() + 16) / 16 * 16).step_by(16) {
        let mut line = format!("    {at:07x}:");
        for index in at..at + 16 {
            if index % 2 == 0 {
                line.push(' ');
            }
            match code.get(index) {
                Some(byte) => line.push_str(&format!("{byte:02x}")),
                None => line.push_str("  "),
            }
        }
        line.push('\n');
        out.extend_from_slice(line.as_bytes());
    }
}

/// The StackMapTable attribute (JVMS 4.7.4) as it is written in the class file, as far as it makes
/// sense: it may be what the failure is about.
fn show_stack_map_table(out: &mut Vec<u8>, table: &[u8]) {
    let count = opcodes::u16_at(table, 0);
    let mut at = 2;
    let mut bci = -1;
    for _ in 0..count {
        out.extend_from_slice(b"    ");
        let frame = RawFrame { table, at };
        let Some(end) = frame.end() else {
            out.extend_from_slice(frame.truncated(bci).as_bytes());
            return;
        };
        out.extend_from_slice(frame.show(bci).as_bytes());
        out.push(b'\n');
        bci += frame.offset_delta();
        at = end;
    }
}

/// A stack map frame in the class file, perhaps cut off.
struct RawFrame<'t> {
    table: &'t [u8],
    at: usize,
}

impl RawFrame<'_> {
    /// The frame's type byte. Beyond the end it is taken as 0, which is what HotSpot mostly finds
    /// there when it reads on to tell what is cut off.
    fn frame_type(&self) -> u8 {
        self.table.get(self.at).copied().unwrap_or(0)
    }

    /// How far the frame's bytecode index is from the one before.
    fn offset_delta(&self) -> i32 {
        match self.frame_type() {
            same @ 0..=63 => i32::from(same) + 1,
            same_locals_1 @ 64..=127 => i32::from(same_locals_1) - 63,
            _ => i32::from(opcodes::u16_at(self.table, self.at + 1)) + 1,
        }
    }

    /// Where the verification_type_info after the one at `at` begins; `None` if that is cut off.
    fn type_end(&self, at: usize) -> Option<usize> {
        let end = match self.table.get(at)? {
            7 | 8 => at + 3,
            _ => at + 1,
        };
        (end <= self.table.len()).then_some(end)
    }

    fn types_end(&self, at: usize, count: u16) -> Option<usize> {
        (0..count).try_fold(at, |at, _| self.type_end(at))
    }

    /// Where the frame ends; `None` if it is cut off or of a reserved type.
    fn end(&self) -> Option<usize> {
        let at = self.at;
        match self.frame_type() {
            0..=63 => (at < self.table.len()).then_some(at + 1),
            64..=127 => self.type_end(at + 1),
            247 => self.type_end(at + 3),
            248..=251 => (at + 3 <= self.table.len()).then_some(at + 3),
            append @ 252..=254 => self.types_end(at + 3, u16::from(append) - 251),
            255 => {
                if at + 5 >= self.table.len() {
                    return None;
                }
                let stack = self.types_end(at + 5, opcodes::u16_at(self.table, at + 3))?;
                if stack + 2 > self.table.len() {
                    return None;
                }
                self.types_end(stack + 2, opcodes::u16_at(self.table, stack))
            }
            128..=246 => None,
        }
    }

    fn show_types(&self, mut at: usize, count: u16) -> String {
        let mut shown = Vec::new();
        for _ in 0..count {
            let operand = opcodes::u16_at(self.table, at + 1);
            shown.push(match self.table.get(at) {
                Some(0) => "Top".to_owned(),
                Some(1) => "Integer".to_owned(),
                Some(2) => "Float".to_owned(),
                Some(3) => "Double".to_owned(),
                Some(4) => "Long".to_owned(),
                Some(5) => "Null".to_owned(),
                Some(6) => "UninitializedThis".to_owned(),
                Some(7) => format!("Object[#{operand}]"),
                Some(8) => format!("Uninitialized[#{operand}]"),
                Some(other) => format!("BAD:{other}"),
                None => break, // excluded by `end`
            });
            at = self.type_end(at).unwrap_or(self.table.len());
        }
        shown.join(",")
    }

    fn show(&self, previous: i32) -> String {
        let at = self.at;
        let bci = previous + self.offset_delta();
        match self.frame_type() {
            0..=63 => format!("same_frame(@{bci})"),
            64..=127 => {
                format!("same_locals_1_stack_item_frame(@{bci},{})", self.show_types(at + 1, 1))
            }
            247 => {
                format!("same_locals_1_stack_item_extended(@{bci},{})", self.show_types(at + 3, 1))
            }
            chop @ 248..=250 => format!("chop_frame(@{bci},{})", 251 - chop),
            251 => format!("same_frame_extended(@{bci})"),
            append @ 252..=254 => {
                let types = self.show_types(at + 3, u16::from(append) - 251);
                format!("append_frame(@{bci},{types})")
            }
            255 => {
                let locals = opcodes::u16_at(self.table, at + 3);
                let stack = self.types_end(at + 5, locals).unwrap_or(self.table.len());
                format!(
                    "full_frame(@{bci},{{{}}},{{{}}})",
                    self.show_types(at + 5, locals),
                    self.show_types(stack + 2, opcodes::u16_at(self.table, stack))
                )
            }
            128..=246 => String::new(), // reserved: HotSpot shows nothing
        }
    }

    fn truncated(&self, previous: i32) -> String {
        let bci = previous + self.offset_delta();
        let cut = "output truncated, Stackmap exceeds table size.";
        match self.frame_type() {
            64..=127 => format!("same_locals_1_stack_item_frame(@{bci}), {cut}"),
            247 => format!("same_locals_1_stack_item_extended(@{bci}), {cut}"),
            252..=254 => format!("append_frame(@{bci}), {cut}"),
            255 => format!("full_frame(@{bci}), {cut}"),
            _ => self.show(previous),
        }
    }
}

/// The text of a ClassFormatError found in `method` of the class with this external name.
pub(super) fn class_format_message(reason: &[u8], class: &[u8], method: &MemberInfo) -> Vec<u8> {
    let mut out = Vec::new();
    piece(&mut out, reason);
    out.extend_from_slice(b" in method '");
    let descriptor = MethodDescriptor::parse(method.descriptor);
    if let Some(descriptor) = &descriptor {
        show_type(&mut out, descriptor.return_type());
    }
    piece(&mut out, &[b" ", class, b".", method.name, b"("].concat());
    for (index, parameter) in descriptor.iter().flat_map(|d| d.parameters()).enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        show_type(&mut out, parameter);
    }
    out.extend_from_slice(b")'");
    out
}

/// A type as it is written in Java.
fn show_type(out: &mut Vec<u8>, ty: FieldType) {
    out.extend_from_slice(&mutf8::from_str(&ty.to_string()));
}

/// A class's name as it is written in Java; a hidden class has a slash before its suffix.
pub(super) fn external_name(name: &[u8], hidden: bool) -> Vec<u8> {
    let mut name = name.to_vec();
    for byte in &mut name {
        if *byte == b'/' {
            *byte = b'.';
        }
    }
    if hidden {
        if let Some(plus) = name.iter().rposition(|&byte| byte == b'+') {
            name[plus] = b'/';
        }
    }
    name
}
