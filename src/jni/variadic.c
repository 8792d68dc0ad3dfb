/*
 * The variadic functions of the JNI table. Each collects its arguments, by the types of the
 * method's parameters, into an array of jvalue and calls the function of the table that takes
 * such an array; so tools that replace that one see these calls too.
 */
#include <stdarg.h>
#include <stdint.h>

typedef union {
  uint8_t z;
  int8_t b;
  uint16_t c;
  int16_t s;
  int32_t i;
  int64_t j;
  float f;
  double d;
  void *l;
} value;

/* A JNIEnv*: it points to the pointer to the table. */
typedef void *const *const *environment;

/* Types as Kiln numbers them (BasicType, the codes of the newarray instruction). */
enum { BOOLEAN = 4, CHAR = 5, FLOAT = 6, DOUBLE = 7, BYTE = 8, SHORT = 9, INT = 10, LONG = 11 };

/* A method has at most 255 parameters (JVMS 4.3.3). */
enum { MAX_PARAMETERS = 255 };

/* The types of the method's parameters, from Rust. */
const uint8_t *kiln_jni_parameters(const void *method, int32_t *count);

#define COLLECT(values, method, args)                                  \
  do {                                                                 \
    int32_t count;                                                     \
    const uint8_t *types = kiln_jni_parameters(method, &count);        \
    for (int32_t i = 0; i < count && i < MAX_PARAMETERS; i++) {        \
      switch (types[i]) {                                              \
        case BOOLEAN: values[i].z = va_arg(args, int) != 0; break;     \
        case BYTE: values[i].b = (int8_t)va_arg(args, int); break;     \
        case CHAR: values[i].c = (uint16_t)va_arg(args, int); break;   \
        case SHORT: values[i].s = (int16_t)va_arg(args, int); break;   \
        case INT: values[i].i = va_arg(args, int); break;              \
        case LONG: values[i].j = va_arg(args, int64_t); break;         \
        case FLOAT: values[i].f = (float)va_arg(args, double); break;  \
        case DOUBLE: values[i].d = va_arg(args, double); break;        \
        default: values[i].l = va_arg(args, void *); break;            \
      }                                                                \
    }                                                                  \
  } while (0)

/* For -Xcheck:jni, from Rust: checks before and after a call, and the functions that do not check. */
void kiln_jni_check_call(environment env, int has_class, void *clazz, void *object, const void *method);
void kiln_jni_called(environment env, const char *function);
void *kiln_jni_unchecked(uintptr_t index);

/*
 * Defines the pair (variadic, va_list) for the function of the table at index `array_form`, and the same again with
 * checks. PARAMS and ARGS are what stands between the environment and the method, CHECKS what the check is told of
 * them; KEEP and GIVE deal with the result, CALLED notes the call.
 */
#define DEFINE(result, name, array_form, RETURN, KEEP, GIVE, PARAMS, ARGS, CHECKS, CALLED)          \
  typedef result (*function_##name)(environment PARAMS, const void *, const value *);               \
  result kiln_jni_##name##V(environment env PARAMS, const void *method, va_list args) {             \
    value values[MAX_PARAMETERS];                                                                   \
    COLLECT(values, method, args);                                                                  \
    RETURN((function_##name)(uintptr_t)(*env)[array_form])(env ARGS, method, values);               \
  }                                                                                                 \
  result kiln_jni_##name(environment env PARAMS, const void *method, ...) {                         \
    value values[MAX_PARAMETERS];                                                                   \
    va_list args;                                                                                   \
    va_start(args, method);                                                                         \
    COLLECT(values, method, args);                                                                  \
    va_end(args);                                                                                   \
    RETURN((function_##name)(uintptr_t)(*env)[array_form])(env ARGS, method, values);               \
  }                                                                                                 \
  result kiln_checked_jni_##name##V(environment env PARAMS, const void *method, va_list args) {     \
    value values[MAX_PARAMETERS];                                                                   \
    kiln_jni_check_call(env, CHECKS, method);                                                       \
    COLLECT(values, method, args);                                                                  \
    KEEP((function_##name)kiln_jni_unchecked(array_form))(env ARGS, method, values);                \
    CALLED(#name "V")                                                                               \
    GIVE                                                                                            \
  }                                                                                                 \
  result kiln_checked_jni_##name(environment env PARAMS, const void *method, ...) {                 \
    value values[MAX_PARAMETERS];                                                                   \
    va_list args;                                                                                   \
    kiln_jni_check_call(env, CHECKS, method);                                                       \
    va_start(args, method);                                                                         \
    COLLECT(values, method, args);                                                                  \
    va_end(args);                                                                                   \
    KEEP((function_##name)kiln_jni_unchecked(array_form))(env ARGS, method, values);                \
    CALLED(#name)                                                                                   \
    GIVE                                                                                            \
  }

#define NOTED(name) kiln_jni_called(env, name);
#define UNNOTED(name)
#define ONE_PARAM , void *target
#define ONE_ARG , target
#define TWO_PARAMS , void *target, void *clazz
#define TWO_ARGS , target, clazz
#define OF_OBJECT 0, 0, target
#define OF_BOTH 1, clazz, target
#define OF_CLASS 1, target, 0

/* The three kinds of calls with this type of result; indices as in jni.h. */
#define CALLS(result, Name, RETURN, KEEP, GIVE, ordinal)                                                           \
  DEFINE(result, Call##Name##Method, 36 + 3 * ordinal, RETURN, KEEP, GIVE, ONE_PARAM, ONE_ARG, OF_OBJECT, NOTED)   \
  DEFINE(result, CallNonvirtual##Name##Method, 66 + 3 * ordinal, RETURN, KEEP, GIVE, TWO_PARAMS, TWO_ARGS,         \
         OF_BOTH, NOTED)                                                                                           \
  DEFINE(result, CallStatic##Name##Method, 116 + 3 * ordinal, RETURN, KEEP, GIVE, ONE_PARAM, ONE_ARG, OF_CLASS,    \
         NOTED)
#define RESULT(type, Name, ordinal) CALLS(type, Name, return, type kept =, return kept;, ordinal)

DEFINE(void *, NewObject, 30, return, void *kept =, return kept;, ONE_PARAM, ONE_ARG, OF_CLASS, UNNOTED)
RESULT(void *, Object, 0)
RESULT(uint8_t, Boolean, 1)
RESULT(int8_t, Byte, 2)
RESULT(uint16_t, Char, 3)
RESULT(int16_t, Short, 4)
RESULT(int32_t, Int, 5)
RESULT(int64_t, Long, 6)
RESULT(float, Float, 7)
RESULT(double, Double, 8)
CALLS(void, Void, , , , 9)
