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

/*
 * Defines the pair (variadic, va_list) for the function of the table at index `array_form`.
 * PARAMS and ARGS are what stands between the environment and the method.
 */
#define DEFINE(result, name, array_form, RETURN, PARAMS, ARGS)                                      \
  result kiln_jni_##name##V(environment env PARAMS, const void *method, va_list args) {             \
    value values[MAX_PARAMETERS];                                                                   \
    COLLECT(values, method, args);                                                                  \
    typedef result (*function)(environment PARAMS, const void *, const value *);                    \
    RETURN((function)(uintptr_t)(*env)[array_form])(env ARGS, method, values);                      \
  }                                                                                                 \
  result kiln_jni_##name(environment env PARAMS, const void *method, ...) {                         \
    value values[MAX_PARAMETERS];                                                                   \
    va_list args;                                                                                   \
    va_start(args, method);                                                                         \
    COLLECT(values, method, args);                                                                  \
    va_end(args);                                                                                   \
    typedef result (*function)(environment PARAMS, const void *, const value *);                    \
    RETURN((function)(uintptr_t)(*env)[array_form])(env ARGS, method, values);                      \
  }

#define VALUE return
#define NOTHING
#define ONE_PARAM , void *target
#define ONE_ARG , target
#define TWO_PARAMS , void *target, void *clazz
#define TWO_ARGS , target, clazz

/* The three kinds of calls with this type of result; indices as in jni.h. */
#define CALLS(result, Name, RETURN, ordinal)                                                              \
  DEFINE(result, Call##Name##Method, 36 + 3 * ordinal, RETURN, ONE_PARAM, ONE_ARG)                        \
  DEFINE(result, CallNonvirtual##Name##Method, 66 + 3 * ordinal, RETURN, TWO_PARAMS, TWO_ARGS)            \
  DEFINE(result, CallStatic##Name##Method, 116 + 3 * ordinal, RETURN, ONE_PARAM, ONE_ARG)

DEFINE(void *, NewObject, 30, VALUE, ONE_PARAM, ONE_ARG)
CALLS(void *, Object, VALUE, 0)
CALLS(uint8_t, Boolean, VALUE, 1)
CALLS(int8_t, Byte, VALUE, 2)
CALLS(uint16_t, Char, VALUE, 3)
CALLS(int16_t, Short, VALUE, 4)
CALLS(int32_t, Int, VALUE, 5)
CALLS(int64_t, Long, VALUE, 6)
CALLS(float, Float, VALUE, 7)
CALLS(double, Double, VALUE, 8)
CALLS(void, Void, NOTHING, 9)
