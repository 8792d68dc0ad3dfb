//! Fields (JVMS 4.5) and methods (JVMS 4.6) with their attributes.

use std::collections::HashSet;

use super::access::{ACC_ABSTRACT, ACC_NATIVE, ACC_STATIC, ACC_STRICT, ACC_SYNTHETIC};
use super::annotations::{self, Place};
use super::class::{Annotations, MemberInfo, MethodParameter, VmAnnotations};
use super::code;
use super::constant_pool::tag;
use super::error::FormatError;
use super::flags::{FIELD_FLAGS, METHOD_FLAGS};
use super::mutf8;
use super::parser::Parts;
use super::reader::Reader;

/// The most slots that a method's arguments may take, receiver included (JVMS 4.3.3).
const MAX_ARGUMENT_SLOTS: u32 = 255;

/// The fewest bytes that a member takes; guards against allocating for a count that lies.
const MIN_MEMBER_SIZE: usize = 8;

fn members_vec<'a>(reader: &Reader<'a>, count: u16) -> Vec<MemberInfo<'a>> {
    let possible = reader.remaining() / MIN_MEMBER_SIZE;
    Vec::with_capacity(possible.min(usize::from(count)))
}

/// `fields_count` and the fields.
pub(super) fn parse_fields<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
) -> Result<Vec<MemberInfo<'a>>, FormatError> {
    let count = reader.u16()?;
    let mut fields = members_vec(reader, count);
    for _ in 0..count {
        fields.push(parse_field(reader, parts)?);
    }
    check_duplicates(parts, &fields, "field")?;
    Ok(fields)
}

/// `methods_count` and the methods.
pub(super) fn parse_methods<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
) -> Result<Vec<MemberInfo<'a>>, FormatError> {
    let count = reader.u16()?;
    let mut methods = members_vec(reader, count);
    for _ in 0..count {
        methods.push(parse_method(reader, parts)?);
    }
    check_duplicates(parts, &methods, "method")?;
    Ok(methods)
}

/// No two fields and no two methods may agree in name and descriptor.
fn check_duplicates(
    parts: &Parts<'_, '_, '_>,
    members: &[MemberInfo<'_>],
    kind: &str,
) -> Result<(), FormatError> {
    if !parts.context.check_format || members.len() < 2 {
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(members.len());
    for member in members {
        if !seen.insert((member.name, member.descriptor)) {
            let shown = mutf8::from_str(&mutf8::to_string(member.descriptor).replace('/', "."));
            return Err(parts.context.error_about(
                &format!("Duplicate {kind} name \"%s\" with signature \"%s\" in class file %s"),
                &[member.name, &shown],
            ));
        }
    }
    Ok(())
}

/// What fields, methods, classes and record components have in common: each attribute at most
/// once, as slices. `owner` goes into the messages (" for field", "").
pub(super) fn parse_annotations<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
    attribute: &[u8],
    length: usize,
    owner: &str,
    found: &mut Annotations<'a>,
) -> Result<Option<&'a [u8]>, FormatError> {
    let method = owner == " for method";
    let slot = match attribute {
        b"RuntimeVisibleAnnotations" => &mut found.visible,
        b"RuntimeInvisibleAnnotations" => &mut found.invisible,
        b"RuntimeVisibleTypeAnnotations" => &mut found.visible_type,
        b"RuntimeInvisibleTypeAnnotations" => &mut found.invisible_type,
        b"RuntimeVisibleParameterAnnotations" if method => &mut found.visible_parameter,
        b"RuntimeInvisibleParameterAnnotations" if method => &mut found.invisible_parameter,
        b"AnnotationDefault" if method => &mut found.default,
        _ => {
            reader.skip(length)?;
            return Ok(None);
        }
    };
    if slot.is_some() {
        return Err(parts.context.error_about(
            &format!("Multiple %s attributes{owner} in class file %s"),
            &[attribute],
        ));
    }
    let contents = reader.bytes(length)?;
    *slot = Some(contents);
    Ok((attribute == b"RuntimeVisibleAnnotations" && (parts.vm_annotations || parts.contended)).then_some(contents))
}

/// The `signature_index` of a Signature attribute.
pub(super) fn parse_signature(
    reader: &mut Reader<'_>,
    parts: &Parts<'_, '_, '_>,
) -> Result<u16, FormatError> {
    let index = reader.u16()?;
    parts.utf8(index, "Invalid Signature attribute at constant pool index %u in class file %s")?;
    Ok(index)
}

fn parse_field<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
) -> Result<MemberInfo<'a>, FormatError> {
    let context = parts.context;
    reader.need(MIN_MEMBER_SIZE)?;
    let access_flags = reader.u16()? & FIELD_FLAGS;
    context.check_field_flags(access_flags, parts.is_interface())?;
    let name_index = reader.u16()?;
    let name = parts.utf8(
        name_index,
        "Invalid constant pool index %u for field name in class file %s",
    )?;
    context.check_field_name(name)?;
    let descriptor_index = reader.u16()?;
    let descriptor = parts.utf8(
        descriptor_index,
        "Invalid constant pool index %u for field signature in class file %s",
    )?;
    context.check_field_descriptor(name, descriptor)?;
    let mut field = MemberInfo {
        access_flags,
        name_index,
        descriptor_index,
        name,
        descriptor,
        signature: None,
        constant_value: None,
        exceptions: Vec::new(),
        code: None,
        parameters: None,
        annotations: Annotations::default(),
        vm_annotations: VmAnnotations::default(),
        deprecated: false,
    };
    let count = reader.u16()?;
    for _ in 0..count {
        parse_field_attribute(reader, parts, &mut field)?;
    }
    Ok(field)
}

fn parse_field_attribute<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
    field: &mut MemberInfo<'a>,
) -> Result<(), FormatError> {
    let context = parts.context;
    reader.need(6)?;
    let name_index = reader.u16()?;
    let length = reader.u32()?;
    match parts.utf8(name_index, "Invalid field attribute index %u in class file %s")? {
        // Meaningless on an instance field (JVMS 4.7.2).
        b"ConstantValue" if field.is_static() => {
            context.require(
                field.constant_value.is_none(),
                "Duplicate ConstantValue attribute in class file %s",
            )?;
            context.require_with(
                length == 2,
                "Invalid ConstantValue field attribute length %u in class file %s",
                length,
            )?;
            let index = reader.u16()?;
            check_constant_value(parts, index, field.descriptor)?;
            field.constant_value = Some(index);
        }
        b"Synthetic" => {
            context.require_with(
                length == 0,
                "Invalid Synthetic field attribute length %u in class file %s",
                length,
            )?;
            field.access_flags |= ACC_SYNTHETIC;
        }
        b"Deprecated" => {
            context.require_with(
                length == 0,
                "Invalid Deprecated field attribute length %u in class file %s",
                length,
            )?;
            field.deprecated = true;
        }
        b"Signature" if context.major_version >= 49 => {
            context.require(
                field.signature.is_none(),
                "Multiple Signature attributes for field in class file %s",
            )?;
            context.require_with(
                length == 2,
                "Wrong size %u for field's Signature attribute in class file %s",
                length,
            )?;
            field.signature = Some(parse_signature(reader, parts)?);
        }
        other if context.major_version >= 49 => {
            let found = &mut field.annotations;
            let visible =
                parse_annotations(reader, parts, other, length as usize, " for field", found)?;
            if let Some(contents) = visible {
                let noted = &mut field.vm_annotations;
                annotations::collect(parts, contents, Place::Field, noted);
            }
        }
        _ => reader.skip(length as usize)?,
    }
    Ok(())
}

/// JVMS 4.7.2: the constant must be of the field's type.
fn check_constant_value(
    parts: &Parts<'_, '_, '_>,
    index: u16,
    descriptor: &[u8],
) -> Result<(), FormatError> {
    let context = parts.context;
    context.require_with(
        index > 0 && usize::from(index) < parts.pool.len(),
        "Bad initial value index %u in ConstantValue attribute in class file %s",
        u32::from(index),
    )?;
    let wanted = match descriptor {
        b"J" => tag::LONG,
        b"F" => tag::FLOAT,
        b"D" => tag::DOUBLE,
        b"B" | b"C" | b"S" | b"Z" | b"I" => tag::INTEGER,
        [b'L', ..] => {
            let fits =
                descriptor == b"Ljava/lang/String;" && parts.pool.tag(index) == tag::STRING;
            return context.require(fits, "Bad string initial value in class file %s");
        }
        _ => {
            return Err(context
                .error_with("Unable to set initial value %u in class file %s", u32::from(index)));
        }
    };
    context.require(
        parts.pool.tag(index) == wanted,
        "Inconsistent constant value type in class file %s",
    )
}

/// The flags that `<clinit>` is left with: others are ignored (JVMS 4.6, 2.9.2).
fn class_initializer_flags(parts: &Parts<'_, '_, '_>, flags: u16) -> Result<u16, FormatError> {
    if parts.context.major_version < 51 {
        return Ok(ACC_STATIC);
    }
    parts.context.require(
        flags & ACC_STATIC != 0,
        "Method <clinit> is not static in class file %s",
    )?;
    let strict = if parts.context.major_version <= 60 { ACC_STRICT } else { 0 };
    Ok(flags & (ACC_STATIC | strict))
}

fn parse_method<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
) -> Result<MemberInfo<'a>, FormatError> {
    let context = parts.context;
    reader.need(MIN_MEMBER_SIZE)?;
    let mut access_flags = reader.u16()?;
    let name_index = reader.u16()?;
    let name = parts.utf8(
        name_index,
        "Illegal constant pool index %u for method name in class file %s",
    )?;
    context.check_method_name(name)?;
    let descriptor_index = reader.u16()?;
    let descriptor = parts.utf8(
        descriptor_index,
        "Illegal constant pool index %u for method signature in class file %s",
    )?;
    if name == b"<clinit>" {
        access_flags = class_initializer_flags(parts, access_flags)?;
    } else {
        context.check_method_flags(access_flags, parts.is_interface(), name)?;
    }
    context.require(
        name != b"<init>" || !parts.is_interface(),
        "Interface cannot have a method named <init>, class file %s",
    )?;
    access_flags &= METHOD_FLAGS;
    let receiver = u32::from(access_flags & ACC_STATIC == 0);
    let argument_slots = receiver + context.check_method_descriptor(name, descriptor)?;
    context.require(
        argument_slots <= MAX_ARGUMENT_SLOTS,
        "Too many arguments in method signature in class file %s",
    )?;

    let mut method = MemberInfo {
        access_flags,
        name_index,
        descriptor_index,
        name,
        descriptor,
        signature: None,
        constant_value: None,
        exceptions: Vec::new(),
        code: None,
        parameters: None,
        annotations: Annotations::default(),
        vm_annotations: parts.method_vm_annotations(),
        deprecated: false,
    };
    let mut seen_exceptions = false;
    let count = reader.u16()?;
    for _ in 0..count {
        parse_method_attribute(reader, parts, &mut method, argument_slots, &mut seen_exceptions)?;
    }
    context.require(
        access_flags & (ACC_NATIVE | ACC_ABSTRACT) != 0 || method.code.is_some(),
        "Absent Code attribute in method that is not native or abstract in class file %s",
    )?;
    // Compilers' own methods are never taken for the hand-written ones that intrinsics replace.
    if method.access_flags & ACC_SYNTHETIC != 0 {
        method.vm_annotations.intrinsic_candidate = false;
    }
    Ok(method)
}

fn parse_method_attribute<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
    method: &mut MemberInfo<'a>,
    argument_slots: u32,
    seen_exceptions: &mut bool,
) -> Result<(), FormatError> {
    let context = parts.context;
    reader.need(6)?;
    let name_index = reader.u16()?;
    let length = reader.u32()?;
    match parts.utf8(name_index, "Invalid method attribute name index %u in class file %s")? {
        b"Code" => {
            context.require(
                method.access_flags & (ACC_NATIVE | ACC_ABSTRACT) == 0,
                "Code attribute in native or abstract methods in class file %s",
            )?;
            context.require(
                method.code.is_none(),
                "Multiple Code attributes in class file %s",
            )?;
            method.code = Some(Box::new(code::parse(reader, parts, length, argument_slots)?));
        }
        b"Exceptions" => {
            context.require(
                !*seen_exceptions,
                "Multiple Exceptions attributes in class file %s",
            )?;
            *seen_exceptions = true;
            method.exceptions = parse_exceptions(reader, parts, length)?;
        }
        b"MethodParameters" => {
            context.require(
                method.parameters.is_none(),
                "Multiple MethodParameters attributes in class file %s",
            )?;
            method.parameters = Some(parse_parameters(reader, parts, length)?);
        }
        b"Synthetic" => {
            context.require_with(
                length == 0,
                "Invalid Synthetic method attribute length %u in class file %s",
                length,
            )?;
            method.access_flags |= ACC_SYNTHETIC;
        }
        b"Deprecated" => {
            context.require_with(
                length == 0,
                "Invalid Deprecated method attribute length %u in class file %s",
                length,
            )?;
            method.deprecated = true;
        }
        b"Signature" if context.major_version >= 49 => {
            context.require(
                method.signature.is_none(),
                "Multiple Signature attributes for method in class file %s",
            )?;
            context.require_with(
                length == 2,
                "Invalid Signature attribute length %u in class file %s",
                length,
            )?;
            method.signature = Some(parse_signature(reader, parts)?);
        }
        other if context.major_version >= 49 => {
            let found = &mut method.annotations;
            let visible =
                parse_annotations(reader, parts, other, length as usize, " for method", found)?;
            if let Some(contents) = visible {
                let noted = &mut method.vm_annotations;
                annotations::collect(parts, contents, Place::Method, noted);
            }
        }
        _ => reader.skip(length as usize)?,
    }
    Ok(())
}

/// Exceptions (JVMS 4.7.5).
fn parse_exceptions(
    reader: &mut Reader<'_>,
    parts: &Parts<'_, '_, '_>,
    length: u32,
) -> Result<Vec<u16>, FormatError> {
    let count = reader.u16()?;
    reader.need(2 * usize::from(count))?;
    let mut exceptions = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let index = reader.u16()?;
        parts.require_class(
            index,
            "Exception name has bad type at constant pool %u in class file %s",
        )?;
        exceptions.push(index);
    }
    parts.context.require(
        length == 2 + 2 * u32::from(count),
        "Exceptions attribute has wrong length in class file %s",
    )?;
    Ok(exceptions)
}

/// MethodParameters (JVMS 4.7.24). What the entries' indices refer to is checked by reflection,
/// with an exception of its own.
fn parse_parameters(
    reader: &mut Reader<'_>,
    parts: &Parts<'_, '_, '_>,
    length: u32,
) -> Result<Vec<MethodParameter>, FormatError> {
    let count = reader.u8()?;
    // HotSpot's text indeed does not name the class.
    parts.context.require_with(
        length == 4 * u32::from(count) + 1,
        "Invalid MethodParameters method attribute length %u in class file",
        length,
    )?;
    let mut parameters = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let name = reader.u16()?;
        let access_flags = reader.u16()?;
        parameters.push(MethodParameter { name: (name != 0).then_some(name), access_flags });
    }
    Ok(parameters)
}
