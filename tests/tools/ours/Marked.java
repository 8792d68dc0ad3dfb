package ours;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.TYPE_USE, ElementType.RECORD_COMPONENT, ElementType.METHOD})
public @interface Marked {
    enum Level { LOW, HIGH }

    String value();

    Level level() default Level.LOW;

    int[] numbers() default {};

    Class<?> type() default Object.class;
}
