import java.util.Collection;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes JSON: maps, collections, strings and numbers. */
final class Json {
    private Json() {}

    static String of(Object value) {
        if (value instanceof Map<?, ?> members) {
            return members.entrySet().stream()
                .map(member -> of(member.getKey()) + ":" + of(member.getValue()))
                .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof Collection<?> items) {
            return items.stream().map(Json::of).collect(Collectors.joining(",", "[", "]"));
        }
        return value instanceof Number ? value.toString() : quoted(value.toString());
    }

    private static String quoted(String text) {
        return text.chars()
            .mapToObj(one -> one < ' ' || one == '"' || one == '\\' ? String.format("\\u%04x", one) : "" + (char) one)
            .collect(Collectors.joining("", "\"", "\""));
    }
}
