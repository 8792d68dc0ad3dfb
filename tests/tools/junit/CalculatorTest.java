import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kind of test that the engine has; some fail, are skipped or time out on purpose. */
@DisplayName("a calculator")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class CalculatorTest {
    static final StringBuilder calls = new StringBuilder();

    static class Words implements ParameterResolver, ExecutionCondition {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == StringBuilder.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return new StringBuilder(context.getDisplayName());
        }

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            return context.getTags().contains("never")
                ? ConditionEvaluationResult.disabled("tagged never") : ConditionEvaluationResult.enabled("fine");
        }
    }

    @BeforeAll
    static void begin() {
        calls.append('<');
    }

    @AfterAll
    static void end() {
        System.out.println(calls.append('>'));
    }

    @BeforeEach
    void before(TestInfo info) {
        calls.append(info.getDisplayName().charAt(0));
    }

    @AfterEach
    void after() {
        calls.append('.');
    }

    @Test
    @Order(1)
    void adds() {
        assertAll(() -> assertEquals(4, 2 + 2), () -> assertEquals(List.of(1), List.of(1)));
    }

    @Test
    @Order(2)
    void fails() {
        assertEquals(5, 2 + 2, () -> "arithmetic");
    }

    @Test
    @Order(3)
    void failsTwice() {
        assertAll("both", () -> assertEquals(1, 2), () -> assertThrows(IllegalStateException.class, () -> Integer.parseInt("x")));
    }

    @Test
    @Order(4)
    void throwsOut() {
        Object nothing = null;
        nothing.hashCode();
    }

    @Test
    @Order(5)
    void assumes() {
        assumeTrue(calls.length() == 0, "calls were made");
    }

    @Test
    @Order(6)
    @Disabled("on purpose")
    void disabled() {}

    @Test
    @Order(7)
    @Tag("never")
    @ExtendWith(Words.class)
    void never() {}

    @Test
    @Order(8)
    @ExtendWith(Words.class)
    void resolved(StringBuilder words) {
        assertEquals("resolved(StringBuilder)", words.toString());
    }

    @RepeatedTest(3)
    @Order(9)
    void repeated(RepetitionInfo info) {
        assertEquals(3, info.getTotalRepetitions());
    }

    @ParameterizedTest(name = "{0} + {1} = {2}")
    @Order(10)
    @CsvSource({"1, 2, 3", "0x10, 1, 17", "5, 5, 11"})
    void sums(int a, int b, int sum) {
        assertEquals(sum, a + b);
    }

    @ParameterizedTest
    @Order(11)
    @EnumSource(value = Thread.State.class, names = {"NEW", "RUNNABLE"})
    void states(Thread.State state) {
        assertEquals(state, Thread.State.valueOf(state.name()));
    }

    static Stream<List<Integer>> lists() {
        return IntStream.range(0, 3).mapToObj(n -> IntStream.range(0, n).boxed().toList());
    }

    @ParameterizedTest
    @Order(12)
    @MethodSource("lists")
    void sizes(List<Integer> list) {
        assertTimeout(Duration.ofMinutes(1), list::size);
    }

    @TestFactory
    @Order(13)
    Stream<DynamicTest> dynamic() {
        return Stream.of("a", "bb").map(s -> DynamicTest.dynamicTest("length of " + s, () -> assertEquals(1, s.length())));
    }

    @Nested
    class Inner {
        @ParameterizedTest
        @ValueSource(strings = {"x", ""})
        void notEmpty(String s) {
            assertEquals(1, s.length());
        }
    }
}
