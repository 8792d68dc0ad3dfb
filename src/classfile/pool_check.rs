//! What the names and descriptors in the constant pool must look like (JVMS 4.4.1 to 4.4.10).

use super::constant_pool::{Constant, ConstantPool, NameAndType};
use super::context::Context;
use super::error::FormatError;

fn is_method_descriptor(descriptor: &[u8]) -> bool {
    descriptor.first() == Some(&b'(')
}

/// Checks every entry of `pool`, whose cross references are sound.
pub(super) fn check(pool: &ConstantPool<'_>, context: &Context<'_>) -> Result<(), FormatError> {
    for index in pool.indices() {
        match pool.get(index) {
            Constant::Class { name } => context.check_class_name(text(pool, name))?,
            Constant::NameAndType { name, descriptor } => {
                check_name_and_type(pool, context, name, descriptor)?;
            }
            Constant::Dynamic { name_and_type, .. } => {
                let member = looked_up(pool, name_and_type);
                if is_method_descriptor(member.descriptor) {
                    return Err(illegal(context, "CONSTANT_Dynamic", member));
                }
            }
            Constant::Fieldref { name_and_type, .. } => {
                let member = looked_up(pool, name_and_type);
                if is_method_descriptor(member.descriptor) {
                    return Err(illegal(context, "Field", member));
                }
            }
            Constant::InvokeDynamic { name_and_type, .. }
            | Constant::InterfaceMethodref { name_and_type, .. } => {
                check_method_ref(pool, context, name_and_type)?;
            }
            Constant::Methodref { name_and_type, .. } => {
                let name = check_method_ref(pool, context, name_and_type)?;
                if name.first() == Some(&b'<') && name != b"<init>" {
                    return Err(bad_name(pool, context, name_and_type, "method"));
                }
            }
            Constant::MethodHandle { kind: kind @ 5..=8, reference } => {
                let Some(member) = pool.member_ref(reference) else { continue };
                let is_constructor = member.name == b"<init>";
                // Only newInvokeSpecial makes an instance.
                if is_constructor != (kind == 8) {
                    let name_and_type = match pool.get(reference) {
                        Constant::Methodref { name_and_type, .. }
                        | Constant::InterfaceMethodref { name_and_type, .. } => name_and_type,
                        _ => continue,
                    };
                    let what = if kind == 8 { "constructor" } else { "method" };
                    return Err(bad_name(pool, context, name_and_type, what));
                }
            }
            Constant::MethodType { descriptor } => {
                // There is no method; HotSpot's placeholder for its name is "type".
                context.check_method_descriptor(b"type", text(pool, descriptor))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn text<'a>(pool: &ConstantPool<'a>, index: u16) -> &'a [u8] {
    pool.utf8(index).unwrap_or(b"")
}

fn looked_up<'a>(pool: &ConstantPool<'a>, index: u16) -> NameAndType<'a> {
    pool.name_and_type(index).unwrap_or(NameAndType { name: b"", descriptor: b"" })
}

fn illegal(context: &Context<'_>, kind: &str, member: NameAndType<'_>) -> FormatError {
    context.illegal_signature(kind, member.name, member.descriptor)
}

fn bad_name(
    pool: &ConstantPool<'_>,
    context: &Context<'_>,
    name_and_type: u16,
    what: &str,
) -> FormatError {
    let name_index = match pool.get(name_and_type) {
        Constant::NameAndType { name, .. } => name,
        _ => 0,
    };
    context.error_with(
        &format!("Bad {what} name at constant pool index %u in class file %s"),
        u32::from(name_index),
    )
}

fn check_name_and_type(
    pool: &ConstantPool<'_>,
    context: &Context<'_>,
    name_index: u16,
    descriptor_index: u16,
) -> Result<(), FormatError> {
    let (name, descriptor) = (text(pool, name_index), text(pool, descriptor_index));
    for (text, index) in [(descriptor, descriptor_index), (name, name_index)] {
        context.require_with(
            !text.is_empty(),
            "Illegal zero length constant pool entry at %u in class %s",
            u32::from(index),
        )?;
    }
    if is_method_descriptor(descriptor) {
        context.check_method_name(name)?;
        context.check_method_descriptor(name, descriptor).map(drop)
    } else {
        context.check_field_name(name)?;
        context.check_field_descriptor(name, descriptor)
    }
}

fn check_method_ref<'a>(
    pool: &ConstantPool<'a>,
    context: &Context<'_>,
    name_and_type: u16,
) -> Result<&'a [u8], FormatError> {
    let member = looked_up(pool, name_and_type);
    if is_method_descriptor(member.descriptor) {
        Ok(member.name)
    } else {
        Err(illegal(context, "Method", member))
    }
}
