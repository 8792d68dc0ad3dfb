//! Every class of the installed JDK, and what an independent reader makes of some of them.

use super::jdk_image;
use crate::classfile::{parse, ClassFile, Constant, MethodDescriptor, ParseOptions};

/// Goes through everything that the indices of `class` lead to.
fn follow(class: &ClassFile<'_>) {
    let pool = &class.constant_pool;
    let utf8 = |index: Option<u16>| assert!(index.is_none_or(|i| pool.utf8(i).is_some()));
    for index in pool.indices() {
        match pool.get(index) {
            Constant::Class { .. } => assert!(pool.class_name(index).is_some()),
            Constant::String { .. } => assert!(pool.string(index).is_some()),
            Constant::Fieldref { .. }
            | Constant::Methodref { .. }
            | Constant::InterfaceMethodref { .. } => assert!(pool.member_ref(index).is_some()),
            Constant::Dynamic { bootstrap, .. } | Constant::InvokeDynamic { bootstrap, .. } => {
                assert!(pool.dynamic(index).is_some());
                assert!(usize::from(bootstrap) < class.attributes.bootstrap_methods.len());
            }
            _ => {}
        }
    }
    for member in class.fields.iter().chain(&class.methods) {
        assert_eq!(pool.utf8(member.name_index), Some(member.name));
        assert_eq!(pool.utf8(member.descriptor_index), Some(member.descriptor));
        utf8(member.signature);
        assert!(member.exceptions.iter().all(|&index| pool.class_name(index).is_some()));
        let Some(code) = &member.code else { continue };
        assert!(!code.code.is_empty());
        for variable in &code.local_variables {
            utf8(Some(variable.name));
            utf8(variable.signature);
        }
    }
    for method in &class.methods {
        let descriptor = MethodDescriptor::parse(method.descriptor).expect("checked");
        let receiver = u32::from(!method.is_static());
        if let Some(code) = &method.code {
            assert!(descriptor.parameter_slots() + receiver <= u32::from(code.max_locals));
        }
    }
    utf8(class.attributes.source_file);
    utf8(class.attributes.signature);
}

#[test]
fn every_class_of_the_jdk_parses() {
    let image = jdk_image();
    let strict = ParseOptions { vm_annotations: true, ..ParseOptions::default() };
    let boot = ParseOptions { check_format: false, ..strict };
    let (mut classes, mut modules) = (0, 0);
    let mut intrinsics = 0;
    for entry in image.entries() {
        let entry = entry.expect("well-formed");
        if entry.extension != "class" {
            continue;
        }
        let bytes = image.read(&entry).expect("well-formed");
        if entry.base == "module-info" {
            modules += 1;
            let error = parse(&bytes, &strict).expect_err("not a class");
            assert_eq!(error.class, "java/lang/NoClassDefFoundError");
            // Its name is not known before the flags are read.
            let text = "<Unknown> is not a class because access_flag ACC_MODULE is set";
            assert_eq!(error.message, text);
            continue;
        }
        classes += 1;
        for options in [strict, boot] {
            match parse(&bytes, &options) {
                Ok(class) => {
                    assert_eq!(class.name(), [entry.parent, entry.base].join("/").as_bytes());
                    follow(&class);
                    let marked = class.methods.iter().filter(|m| m.vm_annotations.intrinsic_candidate);
                    intrinsics += marked.count();
                }
                Err(error) => panic!("{}/{}: {error}", entry.module, entry.name()),
            }
        }
    }
    assert!(classes > 25_000, "{classes} classes");
    assert!(modules > 60, "{modules} modules");
    assert!(intrinsics > 800, "{intrinsics} intrinsics");
}

#[test]
fn what_the_class_library_tells_the_vm() {
    let image = jdk_image();
    let options = ParseOptions { vm_annotations: true, contended: true, ..ParseOptions::default() };
    let load = |name: &str| {
        image.find_class("java.base", name.as_bytes()).expect("well-formed").expect("there")
    };
    let string = load("java/lang/String");
    let class = parse(&string, &options).expect("well-formed");
    let field = |name: &[u8]| class.fields.iter().find(|f| f.name == name).expect("there");
    assert!(field(b"value").vm_annotations.stable);
    assert!(!field(b"hash").vm_annotations.stable);
    let thread = load("java/lang/Thread");
    let class = parse(&thread, &options).expect("well-formed");
    let field = |name: &[u8]| class.fields.iter().find(|f| f.name == name).expect("there");
    let seed = field(b"threadLocalRandomSeed").vm_annotations.contended.expect("contended");
    assert_eq!(class.constant_pool.utf8(seed), Some(&b"tlr"[..]));
    let integer = load("java/lang/Integer");
    let class = parse(&integer, &options).expect("well-formed");
    assert!(class.attributes.vm_annotations.value_based);
    let untrusted = parse(&integer, &ParseOptions::default()).expect("well-formed");
    assert!(!untrusted.attributes.vm_annotations.value_based);
    let hidden = parse(&integer, &ParseOptions { hidden: true, ..options }).expect("well-formed");
    assert!(hidden.methods.iter().all(|method| method.vm_annotations.hidden));
}

#[test]
fn agrees_with_another_reader() {
    let image = jdk_image();
    let mut compared = 0;
    for entry in image.entries().step_by(23) {
        let entry = entry.expect("well-formed");
        if entry.extension != "class" || entry.base == "module-info" {
            continue;
        }
        let bytes = image.read(&entry).expect("well-formed");
        let ours = parse(&bytes, &ParseOptions::default()).expect("well-formed");
        // It does not know every constant of today.
        let Ok((_, theirs)) = classfile_parser::class_parser(&bytes) else { continue };
        compared += 1;
        assert_eq!(ours.major_version, theirs.major_version);
        assert_eq!(ours.this_class, theirs.this_class);
        assert_eq!(ours.super_class.unwrap_or(0), theirs.super_class);
        assert_eq!(ours.interfaces, theirs.interfaces);
        assert_eq!(ours.constant_pool.len(), usize::from(theirs.const_pool_size));
        let their_members = theirs.fields.iter().map(|f| (f.name_index, f.descriptor_index));
        assert!(ours.fields.iter().map(|f| (f.name_index, f.descriptor_index)).eq(their_members));
        let their_members = theirs.methods.iter().map(|m| (m.name_index, m.descriptor_index));
        assert!(ours.methods.iter().map(|m| (m.name_index, m.descriptor_index)).eq(their_members));
        for (our, their) in ours.methods.iter().zip(&theirs.methods) {
            let codes = their.attributes.iter().filter_map(|attribute| {
                let name = ours.constant_pool.utf8(attribute.attribute_name_index)?;
                (name == b"Code").then_some(&attribute.info)
            });
            let their_code = codes.map(|info| {
                classfile_parser::attribute_info::code_attribute_parser(info).expect("code").1
            });
            for (our, their) in our.code.iter().zip(their_code) {
                assert_eq!(our.code, &their.code[..]);
                assert_eq!(our.max_stack, their.max_stack);
                assert_eq!(our.max_locals, their.max_locals);
                assert_eq!(our.exception_table.len(), their.exception_table.len());
            }
        }
    }
    assert!(compared > 500, "{compared} classes compared");
}
