//! The attributes of a class (JVMS table 4.7-C).

use super::access::ACC_FINAL;
use super::annotations::{self, Place};
use super::class::{
    Annotations, BootstrapMethod, ClassAttributes, EnclosingMethod, RecordComponent,
};
use super::constant_pool::tag;
use super::error::FormatError;
use super::inner_classes;
use super::members::{parse_annotations, parse_signature};
use super::parser::Parts;
use super::reader::Reader;

/// An attribute that is looked at after all others: where its contents are, and its length.
type Deferred = Option<(usize, u32)>;

#[derive(Default)]
struct DeferredAttributes {
    inner_classes: Deferred,
    nest_members: Deferred,
    record: Deferred,
    permitted_subclasses: Deferred,
}

/// `attributes_count` and the attributes. `max_bootstrap` is the largest index into
/// BootstrapMethods that the constant pool uses.
pub(super) fn parse<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
    max_bootstrap: Option<u16>,
) -> Result<ClassAttributes<'a>, FormatError> {
    let context = parts.context;
    let mut found = ClassAttributes::default();
    let mut deferred = DeferredAttributes::default();
    let mut seen_bootstrap = false;
    let count = reader.u16()?;
    for _ in 0..count {
        reader.need(6)?;
        let name_index = reader.u16()?;
        let length = reader.u32()?;
        let name = parts
            .utf8(name_index, "Attribute name has bad constant pool index %u in class file %s")?;
        if name == b"BootstrapMethods" && context.major_version >= 51 {
            context.require(
                !seen_bootstrap,
                "Multiple BootstrapMethods attributes in class file %s",
            )?;
            seen_bootstrap = true;
            found.bootstrap_methods =
                parse_bootstrap_methods(reader, parts, length, max_bootstrap)?;
        } else {
            parse_attribute(reader, parts, name, length, &mut found, &mut deferred)?;
        }
    }
    parse_deferred(reader, parts, &deferred, &mut found)?;
    if deferred.inner_classes.is_none() {
        // HotSpot keeps the two together, and EnclosingMethod alone is lost.
        found.enclosing_method = None;
    }
    context.require(
        max_bootstrap.is_none() || seen_bootstrap,
        "Missing BootstrapMethods attribute in class file %s",
    )?;
    Ok(found)
}

fn parse_attribute<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
    name: &[u8],
    length: u32,
    found: &mut ClassAttributes<'a>,
    deferred: &mut DeferredAttributes,
) -> Result<(), FormatError> {
    let context = parts.context;
    let major = context.major_version;
    let here = (reader.position(), length);
    let once = |absent: bool, what: &str| {
        if absent {
            Ok(())
        } else {
            Err(context.error(&format!("Multiple {what} attributes in class file %s")))
        }
    };
    match name {
        b"SourceFile" => {
            context
                .require(length == 2, "Wrong SourceFile attribute length in class file %s")?;
            once(found.source_file.is_none(), "SourceFile")?;
            let index = reader.u16()?;
            parts.utf8(
                index,
                "Invalid SourceFile attribute at constant pool index %u in class file %s",
            )?;
            found.source_file = Some(index);
        }
        b"SourceDebugExtension" => {
            once(found.source_debug_extension.is_none(), "SourceDebugExtension")?;
            found.source_debug_extension = Some(reader.bytes(length as usize)?);
        }
        b"InnerClasses" => {
            once(deferred.inner_classes.is_none(), "InnerClasses")?;
            deferred.inner_classes = Some(here);
            reader.skip(length as usize)?;
        }
        b"Synthetic" => {
            context.require_with(
                length == 0,
                "Invalid Synthetic classfile attribute length %u in class file %s",
                length,
            )?;
            found.synthetic = true;
        }
        b"Deprecated" => {
            context.require_with(
                length == 0,
                "Invalid Deprecated classfile attribute length %u in class file %s",
                length,
            )?;
            found.deprecated = true;
        }
        b"Signature" if major >= 49 => {
            once(found.signature.is_none(), "Signature")?;
            context.require_with(
                length == 2,
                "Wrong Signature attribute length %u in class file %s",
                length,
            )?;
            let index = reader.u16()?;
            parts.utf8(
                index,
                "Invalid constant pool index %u in Signature attribute in class file %s",
            )?;
            found.signature = Some(index);
        }
        b"EnclosingMethod" if major >= 49 => {
            once(found.enclosing_method.is_none(), "EnclosingMethod")?;
            context.require_with(
                length == 4,
                "Wrong EnclosingMethod attribute length %u in class file %s",
                length,
            )?;
            found.enclosing_method = Some(parse_enclosing_method(reader, parts)?);
        }
        b"NestMembers" if major >= 55 => {
            once(deferred.nest_members.is_none(), "NestMembers")?;
            context.require(
                found.nest_host.is_none(),
                "Conflicting NestHost and NestMembers attributes in class file %s",
            )?;
            deferred.nest_members = Some(here);
            reader.skip(length as usize)?;
        }
        b"NestHost" if major >= 55 => {
            once(found.nest_host.is_none(), "NestHost")?;
            context.require(
                deferred.nest_members.is_none(),
                "Conflicting NestMembers and NestHost attributes in class file %s",
            )?;
            context.require(length == 2, "Wrong NestHost attribute length in class file %s")?;
            let index = reader.u16()?;
            parts.require_class(
                index,
                "Nest-host class_info_index %u has bad constant type in class file %s",
            )?;
            found.nest_host = Some(index);
        }
        b"Record" if major >= 60 => {
            once(deferred.record.is_none(), "Record")?;
            deferred.record = Some(here);
            reader.skip(length as usize)?;
        }
        b"PermittedSubclasses" if major >= 61 => {
            once(deferred.permitted_subclasses.is_none(), "PermittedSubclasses")?;
            context.require(
                parts.class_flags & ACC_FINAL == 0,
                "PermittedSubclasses attribute in final class file %s",
            )?;
            deferred.permitted_subclasses = Some(here);
            reader.skip(length as usize)?;
        }
        other if major >= 49 => {
            let into = &mut found.annotations;
            let visible = parse_annotations(reader, parts, other, length as usize, "", into)?;
            if let Some(contents) = visible {
                let noted = &mut found.vm_annotations;
                annotations::collect(parts, contents, Place::Class, noted);
            }
        }
        _ => reader.skip(length as usize)?,
    }
    Ok(())
}

fn parse_enclosing_method(
    reader: &mut Reader<'_>,
    parts: &Parts<'_, '_, '_>,
) -> Result<EnclosingMethod, FormatError> {
    let context = parts.context;
    reader.need(4)?;
    let class = reader.u16()?;
    let method = reader.u16()?;
    context
        .require(class != 0, "Invalid class index in EnclosingMethod attribute in class file %s")?;
    context.require(
        parts.pool.tag(class) == tag::CLASS,
        "Invalid or out-of-bounds class index in EnclosingMethod attribute in class file %s",
    )?;
    context.require(
        method == 0 || parts.pool.tag(method) == tag::NAME_AND_TYPE,
        "Invalid or out-of-bounds method index in EnclosingMethod attribute in class file %s",
    )?;
    Ok(EnclosingMethod { class, method: (method != 0).then_some(method) })
}

/// BootstrapMethods (JVMS 4.7.23).
fn parse_bootstrap_methods<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
    length: u32,
    max_bootstrap: Option<u16>,
) -> Result<Vec<BootstrapMethod<'a>>, FormatError> {
    let context = parts.context;
    context.require_with(
        length >= 2,
        "Invalid BootstrapMethods attribute length %u in class file %s",
        length,
    )?;
    reader.need(length as usize)?;
    let start = reader.position();
    let end = start + length as usize;
    let count = reader.u16()?;
    context.require(
        max_bootstrap.is_none_or(|max| max < count),
        "Short length on BootstrapMethods in class file %s",
    )?;
    let possible = (length as usize - 2) / 4;
    let mut methods = Vec::with_capacity(possible.min(usize::from(count)));
    for _ in 0..count {
        reader.need(4)?;
        let method_ref = reader.u16()?;
        let argument_count = usize::from(reader.u16()?);
        context.require_with(
            parts.pool.tag(method_ref) == tag::METHOD_HANDLE,
            "bootstrap_method_index %u has bad constant type in class file %s",
            u32::from(method_ref),
        )?;
        context.require(
            reader.position() + 2 * argument_count <= end,
            "Invalid BootstrapMethods num_bootstrap_methods or num_bootstrap_arguments value in \
             class file %s",
        )?;
        let method = BootstrapMethod { method_ref, raw_arguments: reader.bytes(2 * argument_count)? };
        for argument in method.arguments() {
            context.require_with(
                is_loadable(parts.pool.tag(argument)),
                "argument_index %u has bad constant type in class file %s",
                u32::from(argument),
            )?;
        }
        methods.push(method);
    }
    context
        .require(reader.position() == end, "Bad length on BootstrapMethods in class file %s")?;
    Ok(methods)
}

/// JVMS table 4.4-C.
fn is_loadable(tag: u8) -> bool {
    matches!(
        tag,
        tag::INTEGER
            | tag::FLOAT
            | tag::LONG
            | tag::DOUBLE
            | tag::CLASS
            | tag::STRING
            | tag::METHOD_HANDLE
            | tag::METHOD_TYPE
            | tag::DYNAMIC
    )
}

fn parse_deferred<'a>(
    reader: &Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
    deferred: &DeferredAttributes,
    found: &mut ClassAttributes<'a>,
) -> Result<(), FormatError> {
    let context = parts.context;
    if let Some((position, length)) = deferred.inner_classes {
        let (classes, count) = inner_classes::parse(&mut reader.at(position), parts)?;
        if context.check_format && context.major_version >= 49 {
            context.require(
                length == 2 + 8 * u32::from(count),
                "Wrong InnerClasses attribute length in class file %s",
            )?;
        }
        found.inner_classes = classes;
    }
    if let Some((position, length)) = deferred.nest_members {
        let members = parse_class_list(
            &mut reader.at(position),
            parts,
            "Nest member class_info_index %u has bad constant type in class file %s",
        )?;
        context.require(
            length as usize == 2 + 2 * members.len(),
            "Wrong NestMembers attribute length in class file %s",
        )?;
        found.nest_members = Some(members);
    }
    if let Some((position, length)) = deferred.record {
        let mut reader = reader.at(position);
        found.record = Some(parse_record(&mut reader, parts)?);
        context.require(
            reader.position() - position == length as usize,
            "Record attribute has wrong length in class file %s",
        )?;
    }
    if let Some((position, length)) = deferred.permitted_subclasses {
        let subclasses = parse_class_list(
            &mut reader.at(position),
            parts,
            "Permitted subclass class_info_index %u has bad constant type in class file %s",
        )?;
        context.require(
            length as usize == 2 + 2 * subclasses.len(),
            "Wrong PermittedSubclasses attribute length in class file %s",
        )?;
        found.permitted_subclasses = Some(subclasses);
    }
    Ok(())
}

/// A count and as many indices of Class entries.
fn parse_class_list(
    reader: &mut Reader<'_>,
    parts: &Parts<'_, '_, '_>,
    text: &str,
) -> Result<Vec<u16>, FormatError> {
    let count = usize::from(reader.u16()?);
    reader.need(2 * count)?;
    let mut classes = Vec::with_capacity(count);
    for _ in 0..count {
        let index = reader.u16()?;
        parts.require_class(index, text)?;
        classes.push(index);
    }
    Ok(classes)
}

/// Record (JVMS 4.7.30).
fn parse_record<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
) -> Result<Vec<RecordComponent<'a>>, FormatError> {
    let count = reader.u16()?;
    let mut components = Vec::with_capacity(usize::from(count).min(reader.remaining() / 6));
    for _ in 0..count {
        components.push(parse_component(reader, parts)?);
    }
    Ok(components)
}

fn parse_component<'a>(
    reader: &mut Reader<'a>,
    parts: &Parts<'_, '_, 'a>,
) -> Result<RecordComponent<'a>, FormatError> {
    let context = parts.context;
    reader.need(6)?;
    let name = reader.u16()?;
    let name_text = parts.utf8(
        name,
        "Invalid constant pool index %u for name in Record attribute in class file %s",
    )?;
    context.check_field_name(name_text)?;
    let descriptor = reader.u16()?;
    let descriptor_text = parts.utf8(
        descriptor,
        "Invalid constant pool index %u for descriptor in Record attribute in class file %s",
    )?;
    context.check_field_descriptor(name_text, descriptor_text)?;
    let mut component =
        RecordComponent { name, descriptor, signature: None, annotations: Annotations::default() };
    let count = reader.u16()?;
    for _ in 0..count {
        reader.need(6)?;
        let attribute_index = reader.u16()?;
        let length = reader.u32()?;
        let attribute = parts
            .utf8(attribute_index, "Invalid Record attribute name index %u in class file %s")?;
        if attribute == b"Signature" {
            context.require(
                component.signature.is_none(),
                "Multiple Signature attributes for Record component in class file %s",
            )?;
            context.require_with(
                length == 2,
                "Invalid Signature attribute length %u in Record component in class file %s",
                length,
            )?;
            component.signature = Some(parse_signature(reader, parts)?);
        } else {
            let into = &mut component.annotations;
            let length = length as usize;
            parse_annotations(reader, parts, attribute, length, " for Record component", into)?;
        }
    }
    Ok(component)
}
