//! The class file from its magic number to its last byte (JVMS 4.1).

use std::collections::HashSet;

use super::access::{ACC_ABSTRACT, ACC_INTERFACE, ACC_MODULE, ACC_SYNTHETIC};
use super::class::{ClassFile, VmAnnotations};
use super::class_attributes;
use super::constant_pool::{tag, ConstantPool};
use super::context::Context;
use super::error::{
    FormatError, InterfacesRead, ParseOptions, MAX_MAJOR_VERSION, MIN_MAJOR_VERSION, PREVIEW_MINOR_VERSION,
};
use super::flags::CLASS_FLAGS;
use super::members;
use super::mutf8;
use super::pool_check;
use super::reader::Reader;

const MAGIC: u32 = 0xcafe_babe;

/// The first major version from which a minor version other than zero has a meaning: 12.
const STRICT_MINOR_VERSION: u16 = 56;

/// How messages call a class whose name is not known yet.
const UNKNOWN_NAME: &[u8] = b"<Unknown>";

/// What is common to the parts of a class file after the constant pool.
pub(super) struct Parts<'c, 'n, 'a> {
    pub context: &'c Context<'n>,
    pub pool: &'c ConstantPool<'a>,
    /// The class's flags.
    pub class_flags: u16,
    /// [`ParseOptions::vm_annotations`]
    pub vm_annotations: bool,
    /// [`ParseOptions::contended`]
    pub contended: bool,
    /// [`ParseOptions::hidden`]
    pub hidden: bool,
}

impl<'a> Parts<'_, '_, 'a> {
    /// The Utf8 at `index`, or `text` as error about that index.
    #[inline]
    pub fn utf8(&self, index: u16, text: &str) -> Result<&'a [u8], FormatError> {
        self.pool.utf8(index).ok_or_else(|| self.context.error_with(text, u32::from(index)))
    }

    /// Fails with `text` about `index` unless that is a Class.
    #[inline]
    pub fn require_class(&self, index: u16, text: &str) -> Result<(), FormatError> {
        self.context.require_with(self.pool.tag(index) == tag::CLASS, text, u32::from(index))
    }

    pub fn is_interface(&self) -> bool {
        self.class_flags & ACC_INTERFACE != 0
    }

    /// What holds of a method before its annotations are read: a hidden class's do not appear in
    /// stack traces.
    pub fn method_vm_annotations(&self) -> VmAnnotations {
        VmAnnotations { hidden: self.hidden, ..VmAnnotations::default() }
    }
}

/// Parses and checks a class file (JVMS 4.8) under `opts`.
///
/// # Errors
/// What HotSpot would throw: ClassFormatError, UnsupportedClassVersionError or
/// NoClassDefFoundError. HotSpot looks for the superclass and interfaces while it parses; whether
/// those exist and are what they should be is the caller's to check afterwards.
pub fn parse<'a>(
    bytes: &'a [u8],
    opts: &ParseOptions<'_>,
) -> Result<ClassFile<'a>, FormatError> {
    let mut context = Context {
        class_name: opts.expected_name.unwrap_or(UNKNOWN_NAME),
        major_version: 0,
        check_format: opts.check_format,
        relax_names: opts.relax_names,
    };
    if u32::try_from(bytes.len()).is_err() {
        // Offsets are kept in 32 bits; defining a class takes a jint of length anyway.
        return Err(context.error("Class file is longer than 4 GiB: class file %s"));
    }
    let mut reader = Reader::new(bytes);
    reader.need(8)?;
    let magic = reader.u32()?;
    context.require_with(
        magic == MAGIC,
        "Incompatible magic value %u in class file %s",
        magic,
    )?;
    let minor_version = reader.u16()?;
    let major_version = reader.u16()?;
    check_version(major_version, minor_version, opts.preview_enabled, context.class_name)?;
    context.major_version = major_version;

    let (pool, facts) = ConstantPool::parse(&mut reader, &context)?;
    if context.check_format && facts.bad_constant.is_none() {
        pool_check::check(&pool, &context)?;
    }

    reader.need(8)?;
    let recognized = if major_version >= 53 { CLASS_FLAGS | ACC_MODULE } else { CLASS_FLAGS };
    let mut access_flags = reader.u16()? & recognized;
    if access_flags & ACC_INTERFACE != 0 && major_version < 50 {
        access_flags |= ACC_ABSTRACT;
    }
    context.check_class_flags(access_flags)?;
    if let Some(bad) = facts.bad_constant {
        return Err(
            context.error_with("Unknown constant tag %u in class file %s", u32::from(bad))
        );
    }

    let this_class = reader.u16()?;
    let found_name = pool.class_name(this_class).ok_or_else(|| {
        context.error_with(
            "Invalid this class index %u in constant pool in class file %s",
            u32::from(this_class),
        )
    })?;
    context.require(found_name.first() != Some(&b'['), "Bad class name in class file %s")?;
    if !opts.hidden && opts.expected_name.is_some_and(|expected| expected != found_name) {
        return Err(FormatError::no_class_def(format!(
            "{} (wrong name: {})",
            mutf8::to_string(context.class_name),
            mutf8::to_string(found_name)
        )));
    }
    // From here on messages use the name found; a hidden class's is not final yet.
    let class_name = if opts.hidden { context.class_name } else { found_name };
    let context = Context { class_name, ..context };

    let super_class = parse_super_class(&mut reader, &context, &pool)?;
    let parts = Parts {
        context: &context,
        pool: &pool,
        class_flags: access_flags,
        vm_annotations: opts.vm_annotations,
        contended: opts.contended,
        hidden: opts.hidden,
    };
    let mut interfaces = Vec::new();
    let mut rest = || {
        parse_interfaces(&mut reader, &parts, &mut interfaces)?;
        let fields = members::parse_fields(&mut reader, &parts)?;
        let methods = members::parse_methods(&mut reader, &parts)?;
        let attributes = class_attributes::parse(&mut reader, &parts, facts.max_bootstrap)?;
        context.require(reader.at_end(), "Extra bytes at the end of class file %s")?;
        if context.class_name == b"java/lang/Object" {
            context.require(
                interfaces.is_empty(),
                "java.lang.Object cannot implement an interface in class file %s",
            )?;
        }
        if parts.is_interface() {
            let super_name = super_class.and_then(|index| pool.class_name(index));
            context.require(
                super_name.is_none_or(|name| name == b"java/lang/Object"),
                "Interfaces must have java.lang.Object as superclass in class file %s",
            )?;
        }
        Ok((fields, methods, attributes))
    };
    let (fields, methods, attributes) = match rest() {
        Ok(parsed) => parsed,
        Err(e) => {
            let names = interfaces.iter().filter_map(|&index| pool.class_name(index)).map(<[u8]>::to_vec).collect();
            let read = InterfacesRead { class_name: found_name.to_vec(), names };
            return Err(FormatError { interfaces: Some(Box::new(read)), ..e });
        }
    };
    if attributes.synthetic {
        access_flags |= ACC_SYNTHETIC;
    }
    Ok(ClassFile {
        minor_version,
        major_version,
        constant_pool: pool,
        access_flags,
        this_class,
        super_class,
        interfaces,
        fields,
        methods,
        attributes,
    })
}

/// Which versions are understood (JVMS 4.1, table 4.1-A).
fn check_version(
    major: u16,
    minor: u16,
    preview_enabled: bool,
    class_name: &[u8],
) -> Result<(), FormatError> {
    let name = || mutf8::to_string(class_name);
    let problem = if major < MIN_MAJOR_VERSION {
        format!(
            "{} (class file version {major}.{minor}) was compiled with an invalid major version",
            name()
        )
    } else if major > MAX_MAJOR_VERSION {
        format!(
            "{} has been compiled by a more recent version of the Java Runtime (class file \
             version {major}.{minor}), this version of the Java Runtime only recognizes class \
             file versions up to {MAX_MAJOR_VERSION}.0",
            name()
        )
    } else if major < STRICT_MINOR_VERSION || minor == 0 {
        return Ok(());
    } else if minor != PREVIEW_MINOR_VERSION {
        format!(
            "{} (class file version {major}.{minor}) was compiled with an invalid non-zero minor \
             version",
            name()
        )
    } else if major != MAX_MAJOR_VERSION {
        format!(
            "{} (class file version {major}.{minor}) was compiled with preview features that are \
             unsupported. This version of the Java Runtime only recognizes preview features for \
             class file version {MAX_MAJOR_VERSION}.{PREVIEW_MINOR_VERSION}",
            name()
        )
    } else if !preview_enabled {
        format!(
            "Preview features are not enabled for {} (class file version {major}.{minor}). Try \
             running with '--enable-preview'",
            name()
        )
    } else {
        return Ok(());
    };
    Err(FormatError::unsupported_version(problem))
}

fn parse_super_class(
    reader: &mut Reader<'_>,
    context: &Context<'_>,
    pool: &ConstantPool<'_>,
) -> Result<Option<u16>, FormatError> {
    let index = reader.u16()?;
    let text = "Invalid superclass index %u in class file %s";
    if index == 0 {
        context.require_with(context.class_name == b"java/lang/Object", text, 0)?;
        return Ok(None);
    }
    let name =
        pool.class_name(index).ok_or_else(|| context.error_with(text, u32::from(index)))?;
    context.require(name.first() != Some(&b'['), "Bad superclass name in class file %s")?;
    Ok(Some(index))
}

/// Appends the indices to `interfaces`, where those before a mistake stay.
fn parse_interfaces(
    reader: &mut Reader<'_>,
    parts: &Parts<'_, '_, '_>,
    interfaces: &mut Vec<u16>,
) -> Result<(), FormatError> {
    let count = reader.u16()?;
    interfaces.reserve_exact(usize::from(count));
    for _ in 0..count {
        let index = reader.u16()?;
        let name = parts.pool.class_name(index).ok_or_else(|| {
            parts.context.error_with(
                "Interface name has bad constant pool index %u in class file %s",
                u32::from(index),
            )
        })?;
        parts
            .context
            .require(name.first() != Some(&b'['), "Bad interface name in class file %s")?;
        interfaces.push(index);
    }
    if parts.context.check_format && count > 1 {
        let mut seen = HashSet::with_capacity(interfaces.len());
        for name in interfaces.iter().filter_map(|&index| parts.pool.class_name(index)) {
            if !seen.insert(name) {
                return Err(parts
                    .context
                    .error_about("Duplicate interface name \"%s\" in class file %s", &[name]));
            }
        }
    }
    Ok(())
}
