//! The Code attribute (JVMS 4.7.3) and its tables.

use std::collections::HashMap;

use super::class::{Code, ExceptionTableEntry, LineNumber, LocalVariable};
use super::error::FormatError;
use super::parser::Parts;
use super::reader::Reader;

/// The longest code array, in bytes (JVMS 4.7.3 says less than 65536).
const MAX_CODE_LENGTH: u32 = 65535;

/// The entries of all tables of one kind, checked.
#[derive(Default)]
struct LocalTables {
    variables: Vec<LocalVariable>,
    /// LocalVariableTypeTable entries, whose `descriptor` is a generic signature.
    types: Vec<LocalVariable>,
}

/// Parses a Code attribute of `attribute_length` bytes, of a method whose arguments take
/// `argument_slots`.
pub(super) fn parse<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
    attribute_length: u32,
    argument_slots: u32,
) -> Result<Code<'a>, FormatError> {
    let context = parts.context;
    let start = reader.position();
    reader.need(8)?;
    let max_stack = reader.u16()?;
    let max_locals = reader.u16()?;
    let code_length = reader.u32()?;
    context.require(
        argument_slots <= u32::from(max_locals),
        "Arguments can't fit into locals in class file %s",
    )?;
    context.require_with(
        code_length > 0 && code_length <= MAX_CODE_LENGTH,
        "Invalid method Code length %u in class file %s",
        code_length,
    )?;
    let mut code = Code {
        max_stack,
        max_locals,
        code: reader.bytes(code_length as usize)?,
        exception_table: parse_exception_table(reader, parts, code_length)?,
        line_numbers: Vec::new(),
        local_variables: Vec::new(),
        stack_map_table: None,
    };
    let mut locals = LocalTables::default();
    let mut seen_stack_map = false;
    let count = reader.u16()?;
    for _ in 0..count {
        reader.need(6)?;
        let name_index = reader.u16()?;
        let length = reader.u32()?;
        let name =
            parts.utf8(name_index, "Invalid code attribute name index %u in class file %s")?;
        match name {
            b"LineNumberTable" => parse_line_numbers(reader, parts, length, &mut code)?,
            b"LocalVariableTable" => {
                parse_local_variables(reader, parts, length, &code, &mut locals.variables, false)?;
            }
            b"LocalVariableTypeTable" if context.major_version >= 49 => {
                parse_local_variables(reader, parts, length, &code, &mut locals.types, true)?;
            }
            b"StackMapTable" if context.major_version >= 50 => {
                context.require(
                    !seen_stack_map,
                    "Multiple StackMapTable attributes in class file %s",
                )?;
                seen_stack_map = true;
                let contents = reader.bytes(length as usize)?;
                code.stack_map_table = (!contents.is_empty()).then_some(contents);
            }
            _ => reader.skip(length as usize)?,
        }
    }
    // Attributes' own lengths are what was skipped or checked, so the position tells.
    context.require(
        reader.position() - start == attribute_length as usize,
        "Code segment has wrong length in class file %s",
    )?;
    if !locals.variables.is_empty() {
        merge_local_tables(parts, &mut locals)?;
        code.local_variables = locals.variables;
    }
    Ok(code)
}

fn parse_exception_table(
    reader: &mut Reader<'_>,
    parts: &Parts<'_, '_, '_>,
    code_length: u32,
) -> Result<Vec<ExceptionTableEntry>, FormatError> {
    let context = parts.context;
    let count = usize::from(reader.u16()?);
    reader.need(8 * count)?;
    let mut table = Vec::with_capacity(count);
    for _ in 0..count {
        let entry = ExceptionTableEntry {
            start_pc: reader.u16()?,
            end_pc: reader.u16()?,
            handler_pc: reader.u16()?,
            catch_type: reader.u16()?,
        };
        context.require(
            entry.start_pc < entry.end_pc && u32::from(entry.end_pc) <= code_length,
            "Illegal exception table range in class file %s",
        )?;
        context.require(
            u32::from(entry.handler_pc) < code_length,
            "Illegal exception table handler in class file %s",
        )?;
        if entry.catch_type != 0 {
            parts.require_class(
                entry.catch_type,
                "Catch type in exception table has bad constant type in class file %s",
            )?;
        }
        table.push(entry);
    }
    Ok(table)
}

fn parse_line_numbers(
    reader: &mut Reader<'_>,
    parts: &Parts<'_, '_, '_>,
    length: u32,
    code: &mut Code<'_>,
) -> Result<(), FormatError> {
    let count = usize::from(reader.u16()?);
    parts.context.require(
        length as usize == 2 + 4 * count,
        "LineNumberTable attribute has wrong length in class file %s",
    )?;
    let entries = reader.bytes(4 * count)?;
    code.line_numbers.reserve_exact(count);
    for entry in entries.chunks_exact(4) {
        let start_pc = u16::from_be_bytes([entry[0], entry[1]]);
        parts.context.require(
            usize::from(start_pc) < code.code.len(),
            "Invalid pc in LineNumberTable in class file %s",
        )?;
        code.line_numbers.push(LineNumber {
            start_pc,
            line: u16::from_be_bytes([entry[2], entry[3]]),
        });
    }
    Ok(())
}

/// LocalVariableTable (JVMS 4.7.13) or, if `types`, LocalVariableTypeTable (4.7.14).
fn parse_local_variables(
    reader: &mut Reader<'_>,
    parts: &Parts<'_, '_, '_>,
    attribute_length: u32,
    code: &Code<'_>,
    into: &mut Vec<LocalVariable>,
    types: bool,
) -> Result<(), FormatError> {
    let context = parts.context;
    let table: &[u8] = if types { b"LocalVariableTypeTable" } else { b"LocalVariableTable" };
    // Messages have the table between the number and the class.
    let error = |text: &str, number: u16| {
        context.error_about(&text.replacen("%u", &number.to_string(), 1), &[table])
    };
    let count = usize::from(reader.u16()?);
    if attribute_length as usize != 2 + 10 * count {
        return Err(error("%s has wrong length in class file %s", 0));
    }
    reader.need(10 * count)?;
    into.reserve_exact(count);
    let code_length = code.code.len();
    for _ in 0..count {
        let variable = LocalVariable {
            start_pc: reader.u16()?,
            length: reader.u16()?,
            name: reader.u16()?,
            descriptor: reader.u16()?,
            signature: None,
            index: reader.u16()?,
        };
        let LocalVariable { start_pc, length, .. } = variable;
        if usize::from(start_pc) >= code_length {
            return Err(error("Invalid start_pc %u in %s in class file %s", start_pc));
        }
        if usize::from(start_pc) + usize::from(length) > code_length {
            return Err(error("Invalid length %u in %s in class file %s", length));
        }
        let name = parts.pool.utf8(variable.name).ok_or_else(|| {
            error("Name index %u in %s has bad constant type in class file %s", variable.name)
        })?;
        let descriptor = parts.pool.utf8(variable.descriptor).ok_or_else(|| {
            error(
                "Signature index %u in %s has bad constant type in class file %s",
                variable.descriptor,
            )
        })?;
        context.check_field_name(name)?;
        let mut slots = 1;
        if !types {
            context.check_field_descriptor(name, descriptor)?;
            if matches!(descriptor, b"J" | b"D") {
                slots = 2;
            }
        }
        if u32::from(variable.index) + slots > u32::from(code.max_locals) {
            return Err(error("Invalid index %u in %s in class file %s", variable.index));
        }
        into.push(variable);
    }
    Ok(())
}

/// What identifies a variable: scope, name and slot.
type VariableKey = (u16, u16, u16, u16);

fn key(variable: &LocalVariable) -> VariableKey {
    (variable.start_pc, variable.length, variable.name, variable.index)
}

/// No variable twice, no type twice, and each type belongs to a variable, which gets it as its
/// signature.
fn merge_local_tables(
    parts: &Parts<'_, '_, '_>,
    locals: &mut LocalTables,
) -> Result<(), FormatError> {
    let context = parts.context;
    let check = context.check_format;
    if locals.types.is_empty() && !check {
        return Ok(());
    }
    let mut places = HashMap::with_capacity(locals.variables.len());
    for (place, variable) in locals.variables.iter().enumerate() {
        let earlier = places.insert(key(variable), place);
        if earlier.is_some() && check && context.major_version >= 49 {
            return Err(context.error_about(
                "Duplicated LocalVariableTable attribute entry for '%s' in class file %s",
                &[parts.pool.utf8(variable.name).unwrap_or(b"")],
            ));
        }
    }
    for generic in &locals.types {
        let name = parts.pool.utf8(generic.name).unwrap_or(b"");
        let variable =
            places.get(&key(generic)).and_then(|&place| locals.variables.get_mut(place));
        match variable {
            None if check => {
                return Err(context.error_about(
                    "LVTT entry for '%s' in class file %s does not match any LVT entry",
                    &[name],
                ));
            }
            None => {}
            Some(variable) if variable.signature.is_some() && check => {
                return Err(context.error_about(
                    "Duplicated LocalVariableTypeTable attribute entry for '%s' in class file %s",
                    &[name],
                ));
            }
            Some(variable) => variable.signature = Some(generic.descriptor),
        }
    }
    Ok(())
}
