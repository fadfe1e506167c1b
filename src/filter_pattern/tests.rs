//! Tests of filter patterns: matching, not matching, and invalid patterns.

use serde_json::{Value, json};

use super::*;

fn passes(pattern: &str, event: &Value) -> bool {
    FilterPattern::parse(pattern)
        .unwrap_or_else(|error| panic!("{pattern}: {error}"))
        .matches(event)
}

/// Each row is the content of a pattern, and the expected result for the event.
fn check(event: &Value, rows: &[(&str, bool)]) {
    for (inside, expected) in rows {
        let pattern = format!("{{ {inside} }}");
        assert_eq!(passes(&pattern, event), *expected, "{pattern}");
    }
}

#[test]
fn aws_documentation_examples() {
    let event = json!({
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{ "name": "a", "id": 1 }, { "name": "b", "id": 2 }],
        "SomeObject": null,
        "cluster.name": "c",
        "ThisFlag": true,
    });
    check(
        &event,
        &[
            (r#"$.eventType = "UpdateTrail""#, true),
            ("$.sourceIPAddress != 123.123.*", true),
            ("$.sourceIPAddress != 111.111.*", false),
            (r#"$.arrayKey[0] = "value""#, true),
            ("$.objectList[1].id = 2", true),
            ("$.['cluster.name'] = \"c\"", true),
            ("$.SomeObject IS NULL", true),
            ("$.SomeOtherObject NOT EXISTS", true),
            ("$.ThisFlag IS TRUE", true),
            ("$.eventType = %Trail%", true),
            ("$.eventType = %trail%", false),
            ("$.arrayKey[*] = %val.{2}%", true),
            (r"$.* = %111\.111\.111\.1[0-9]{1,2}%", true),
        ],
    );
    let event = json!({
        "user": { "id": 1, "email": "John.Stiles@example.com" },
        "users": [
            { "id": 2, "email": "John.Doe@example.com" },
            { "id": 3, "email": "Jane.Doe@example.com" },
        ],
        "actions": ["GET", "PUT", "DELETE"],
        "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
    });
    let doe = r#"$.users[0].email = "John.Doe@example.com""#;
    let stiles = r#"$.user.email = "John.Stiles@example.com""#;
    check(
        &event,
        &[
            (&format!("($.user.id = 1) && ({doe})"), true),
            (
                &format!("{stiles} || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch"),
                true,
            ),
            (
                &format!("({stiles} || $.coordinates[0][1] = nonmatch) && $.actions[2] = nomatch"),
                false,
            ),
            (
                r#"($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET""#,
                false,
            ),
        ],
    );
}

#[test]
fn numbers_compare_numerically() {
    let event = json!({
        "n": 500, "half": 0.5, "less": -3, "kilo": 1e3, "id": 9_007_199_254_740_993_u64, "most": u64::MAX,
    });
    check(
        &event,
        &[
            ("$.n = 500", true),
            ("$.n = +500", true),
            ("$.n = 5e2", true),
            ("$.n = 500.0", true),
            ("$.n != 500", false),
            ("$.n != 501", true),
            ("$.n < 500", false),
            ("$.n <= 500", true),
            ("$.n <= 499.9", false),
            ("$.n > 499", true),
            ("$.n > 500", false),
            ("$.n >= 500", true),
            ("$.n < 10e-3", false),
            ("$.half < 1", true),
            ("$.half = 5e-1", true),
            ("$.half = 0.50", true),
            ("$.less < 0", true),
            ("$.less > -4", true),
            ("$.less = -3", true),
            ("$.kilo = 1e+3", true),
            ("$.kilo != 1e-3", true),
            // These two are equal as floats.
            ("$.id = 9007199254740993", true),
            ("$.id = 9007199254740992", false),
            ("$.most = 18446744073709551615", true),
            ("$.most > 9223372036854775807", true),
        ],
    );
}

#[test]
fn numbers_and_strings_compare_as_text() {
    let event = json!({ "number": 404, "string": "404", "account": "012345678901", "word": "abc" });
    check(
        &event,
        &[
            ("$.string = 404", true),
            ("$.string != 404", false),
            ("$.string = 4.04e2", false),
            ("$.string = +404", false),
            (r#"$.number = "404""#, true),
            (r#"$.number = "+404""#, false),
            ("$.number = 4*", true),
            ("$.number != 4*", false),
            ("$.number = *5", false),
            ("$.number = word", false),
            ("$.number != word", true),
            // An account ID may have a leading zero, a number cannot.
            ("$.account = 012345678901", true),
            ("$.account = 12345678901", false),
            ("$.word != 404", true),
            // Strings are not ordered.
            ("$.string < 500", false),
            ("$.string > 300", false),
            ("$.string <= 404", false),
            ("$.string >= 404", false),
        ],
    );
}

#[test]
fn asterisk_is_a_wildcard_only_at_ends() {
    let event = json!({ "a": "PutEvent", "b": "Ev*ent", "c": "", "d": "*", "e": "a*" });
    check(
        &event,
        &[
            ("$.a = *Event", true),
            ("$.a = Put*", true),
            ("$.a = *tEv*", true),
            ("$.a = *", true),
            (r#"$.a = "*""#, true),
            ("$.a = **", true),
            (r#"$.a = "*Event""#, true),
            (r#"$.a = "Put*""#, true),
            ("$.a = Event*", false),
            ("$.a = *Put", false),
            ("$.a = Put", false),
            ("$.a = P*t", false),
            ("$.a != Put*", false),
            ("$.a != Get*", true),
            ("$.b = Ev*ent", true),
            ("$.b = Ev*", true),
            ("$.c = *", true),
            (r#"$.c = """#, true),
            (r#"$.a = """#, false),
            (r#"$.c != """#, false),
            ("$.d = ***", true),
            ("$.a = ***", false),
            ("$.e = a**", true),
            ("$.d = a**", false),
        ],
    );
}

#[test]
fn other_types_match_no_comparison() {
    let event = json!({
        "list": [1, 2, 3], "object": { "a": 1 }, "none": null, "yes": true, "no": false, "text": "true",
    });
    for name in [
        "list",
        "object",
        "none",
        "yes",
        "no",
        "missing",
        "text.deep",
        "list.a",
        "object[0]",
    ] {
        for test in [
            "= 1", "!= 1", "= a", "!= a", "= *", "!= \"\"", "< 9", ">= 0", "= true", "= null",
        ] {
            check(&event, &[(&format!("$.{name} {test}"), false)]);
        }
    }
    check(&event, &[("$.text = true", true)]);
}

#[test]
fn is_operator_tests_booleans_and_null() {
    let event =
        json!({ "yes": true, "no": false, "none": null, "text": "true", "zero": 0, "a": [false] });
    check(
        &event,
        &[
            ("$.yes IS TRUE", true),
            ("$.yes IS FALSE", false),
            ("$.yes IS NULL", false),
            ("$.no IS FALSE", true),
            ("$.no IS TRUE", false),
            ("$.none IS NULL", true),
            ("$.none IS FALSE", false),
            ("$.text IS TRUE", false),
            ("$.zero IS FALSE", false),
            ("$.a IS FALSE", false),
            ("$.a[0] IS FALSE", true),
            ("$.missing IS NULL", false),
            ("$.missing IS FALSE", false),
        ],
    );
}

#[test]
fn not_exists_matches_only_missing_fields() {
    let event = json!({ "none": null, "list": [], "deep": { "a": null }, "text": "x" });
    check(
        &event,
        &[
            ("$.missing NOT EXISTS", true),
            ("$.none NOT EXISTS", false),
            ("$.list NOT EXISTS", false),
            ("$.list[0] NOT EXISTS", true),
            ("$.deep.a NOT EXISTS", false),
            ("$.deep.b NOT EXISTS", true),
            ("$.missing.b NOT EXISTS", true),
            ("$.text.b NOT EXISTS", true),
            ("$.Text NOT EXISTS", true),
            ("$.list[*] NOT EXISTS", true),
            ("$.deep.* NOT EXISTS", false),
        ],
    );
}

#[test]
fn selectors_follow_objects_and_arrays() {
    let event = json!({
        "a-b_9": { "x": [[1, 2], [3, { "deep": "down" }]] },
        "a.b": { "c d": "spaced", "ключ": "значение", "it\"s": 1 },
        "42": "digits",
        "list": [{ "id": 1 }, { "id": 2 }, "three"],
    });
    check(
        &event,
        &[
            ("$.a-b_9.x[0][1] = 2", true),
            ("$.a-b_9.x[1][1].deep = down", true),
            ("$.a-b_9.x[2][0] = 1", false),
            ("$.['a.b'].['c d'] = spaced", true),
            ("$['a.b']['c d'] = spaced", true),
            ("$['a.b'].c = spaced", false),
            ("$['a.b']['ключ'] = \"значение\"", true),
            ("$['a.b']['it\"s'] = 1", true),
            ("$.42 = digits", true),
            ("$.list[*].id = 2", true),
            ("$.list[*].id = 3", false),
            ("$.list[*] = three", true),
            ("$.list[*].id != 1", true),
            ("$.list.* = three", false),
            ("$.['a.b'].* = spaced", true),
            ("$.* = digits", true),
            ("$.*[2] = three", true),
        ],
    );
}

#[test]
fn comparison_is_case_sensitive() {
    let event = json!({ "Name": "Größe 😀", "quote": "say \"hi\" \\o/", "url": "s3://a/b?c=d&e" });
    check(
        &event,
        &[
            ("$.Name = \"Größe 😀\"", true),
            ("$.Name = \"größe 😀\"", false),
            ("$.Name = \"Größe*\"", true),
            ("$.Name = \"*😀\"", true),
            ("$.name = \"Größe 😀\"", false),
            (r#"$.quote = "say \"hi\" \\o/""#, true),
            (r#"$.quote = "*\\o/""#, true),
            (r#"$.url = "s3://a/b?c=d&e""#, true),
            (r#"$.url = "*&&*""#, false),
        ],
    );
}

#[test]
fn and_binds_tighter_than_or() {
    let event = json!({ "t": true });
    let truth = |letter| {
        if letter == '1' {
            "$.t IS TRUE"
        } else {
            "$.t IS FALSE"
        }
    };
    let written = |form: &str| -> String {
        form.chars()
            .map(|c| match c {
                '0' | '1' => truth(c).to_owned(),
                '&' => " && ".to_owned(),
                '|' => "||".to_owned(),
                other => other.to_string(),
            })
            .collect()
    };
    for (form, expected) in [
        ("1|1&0", true),
        ("(1|1)&0", false),
        ("0&1|1", true),
        ("0&(1|1)", false),
        ("0|0|1", true),
        ("1&1&0", false),
        ("((1))", true),
        ("0&0|1&1", true),
        ("1&(0|(1&1))", true),
    ] {
        check(&event, &[(&written(form), expected)]);
    }
}

#[test]
fn whitespace_matters_only_between_words() {
    let event = json!({ "a": "b", "c": false });
    for pattern in [
        "{$.a=b}",
        "{$.a=b&&$.c IS FALSE}",
        "  {\t$.a \n =\r\n b }\n",
        "{($.a=b)||($.c IS NULL)}",
        "{ $.c   IS\tFALSE&&($.a!=\"c\")}",
        "{$.x NOT  EXISTS}",
        "{$.x NOT EXISTS&&$.a=b}",
    ] {
        assert!(passes(pattern, &event), "{pattern}");
    }
}

/// Each row is a regular expression, texts that match, and texts that do not.
#[test]
fn regex_searches_the_whole_value() {
    let table: [(&str, &[&str], &[&str]); 20] = [
        ("^[hc]at", &["hat", "catch"], &["what", "bat"]),
        ("[hc]at$", &["hat", "the cat"], &["hats"]),
        ("colou?r", &["color", "colours"], &["colouur"]),
        ("^[abcx-z]$", &["a", "y"], &["d", "ab"]),
        ("^a{3,5}$", &["aaa", "aaaaa"], &["aa", "aaaaaa"]),
        ("^a{,2}b", &["b", "aab"], &["aaab"]),
        ("^a{2,}$", &["aa", "aaaa"], &["a"]),
        ("[{,]", &["a{b", "a,b"], &["a}b"]),
        (
            "^starting|^shutting down",
            &["starting", "shutting down now"],
            &["not starting"],
        ),
        ("abcc|ab[^c]$", &["abcc", "aba"], &["aac"]),
        (r"\[.\]", &["[a]", "[]]"], &["[]", "a"]),
        (r"10\.10\.0\.1", &["10.10.0.1"], &["10010,0,1"]),
        ("ab*c", &["ac", "abbc"], &["adc"]),
        ("ab+c", &["abc", "abbc"], &["ac"]),
        (".at", &["4at", " at", "\nat", "ßat"], &["at"]),
        (r"^\d\D$", &["1a"], &["11", "a1", "٣a"]),
        (r"^\s\S$", &["\ta", " b"], &["ab"]),
        (r"^\w\W$", &["_-", "Zé"], &["é-"]),
        (r"\x28\x3a", &["(:"], &["x28"]),
        ("a:_#=@/;,-b", &["a:_#=@/;,-b"], &[]),
    ];
    for (expression, finds, not) in table {
        let pattern = format!("{{ $.a = %{expression}% }}");
        for (texts, expected) in [(finds, true), (not, false)] {
            for text in texts {
                let event = json!({ "a": text });
                assert_eq!(passes(&pattern, &event), expected, "{pattern} of {text:?}");
            }
        }
    }
}

#[test]
fn regex_combines_with_other_tests() {
    let event = json!({ "a": "UpdateTrail", "n": 404, "list": ["x"], "flag": true, "none": null });
    check(
        &event,
        &[
            ("$.a != %Trail%", false),
            ("$.a != %Bucket%", true),
            ("$.missing != %Trail%", false),
            ("$.n = %^4[0-9]+$%", true),
            ("$.n != %^5%", true),
            ("$.list = %x%", false),
            ("$.flag = %true%", false),
            ("$.none = %null%", false),
            ("$.a=%Trail%&&($.n=%4%)", true),
        ],
    );
}

#[test]
fn non_object_never_matches() {
    let pattern = FilterPattern::parse("{ $.missing NOT EXISTS }").unwrap();
    for text in ["{}", " {\"a\": [1]}\n"] {
        assert!(pattern.matches_text(text), "{text}");
    }
    for text in [
        "", "text", "[]", "[{}]", "null", "1", "\"{}\"", "{", "{} {}", "START {}",
    ] {
        assert!(!pattern.matches_text(text), "{text}");
    }
    let deep = "{\"a\":".repeat(10_000);
    assert!(!pattern.matches_text(&deep));
}

#[test]
fn malformed_pattern_error_has_a_position() {
    for (pattern, position, reason) in [
        ("", 0, "begins with `{`"),
        ("ERROR", 0, "begins with `{`"),
        ("[ip, user]", 0, "begins with `{`"),
        ("{", 1, "expected a selector"),
        ("{ }", 2, "expected a selector"),
        ("{ a = b }", 2, "expected a selector"),
        ("{ !$.a = b }", 2, "expected a selector"),
        ("{ $.a = b", 9, "closing `}`"),
        ("{ $.a = b } x", 12, "unexpected text"),
        ("{ $.a = b $.c = d }", 10, "expected `&&`"),
        ("{ $.a = b & $.c = d }", 10, "expected `&&`"),
        ("{ $.a = b && }", 13, "expected a selector"),
        ("{ ($.a = b }", 11, "closing `)`"),
        ("{ $.a = b) }", 9, "closing `}`"),
        ("{ () }", 3, "expected a selector"),
        ("{ $ = b }", 3, "expected a field"),
        ("{ $[0] = b }", 3, "follow a field"),
        ("{ $. = b }", 4, "expected a name"),
        ("{ $.a. = b }", 6, "expected a name"),
        ("{ $.é = b }", 4, "expected a name"),
        ("{ $.a[ = b }", 6, "expected a number, `*` or a name"),
        ("{ $.a[-1] = b }", 6, "expected a number"),
        ("{ $.a[0 = b }", 7, "expected `]`"),
        (
            "{ $.a[99999999999999999999] = b }",
            6,
            "array index is too large",
        ),
        ("{ $.[0] = b }", 5, "single quotation marks"),
        ("{ $[\"a\"] = b }", 4, "single quotation marks"),
        ("{ $['a] = b }", 4, "not closed"),
        ("{ $[''] = b }", 4, "is empty"),
        ("{ $.*.* = b }", 5, "one wildcard"),
        ("{ $.*=1 && $.*=1 && $.*=1 && $.*=1 }", 30, "at most 3"),
        ("{ $.a }", 6, "expected `=`"),
        ("{ $.a == b }", 6, "expected `=`"),
        ("{ $.a <> 1 }", 6, "expected `=`"),
        ("{ $.a ~ b }", 6, "expected `=`"),
        ("{ $.a = }", 8, "expected a value"),
        ("{ $.a = \"b }", 8, "not closed"),
        (r#"{ $.a = "b\n" }"#, 10, "a backslash"),
        ("{ $.a = 'b' }", 8, "double quotation marks"),
        ("{ $.a = foo@bar }", 11, "double quotation marks"),
        ("{ $.a = us-east-1 }", 8, "double quotation marks"),
        ("{ $.a = für }", 9, "double quotation marks"),
        ("{ $.a = 1e999 }", 8, "too large"),
        ("{ $.a < b }", 8, "expected a number"),
        ("{ $.a < \"1\" }", 8, "expected a number"),
        ("{ $.a >= 4* }", 9, "expected a number"),
        ("{ $.a < %1% }", 8, "expected a number"),
        ("{ $.a = %b }", 8, "percent sign is missing"),
        ("{ $.a = %% }", 9, "is empty"),
        ("{ $.a = %b%c }", 11, "expected `&&`"),
        ("{ $.a = %(b)% }", 9, "letters and digits"),
        ("{ $.a = %b!% }", 10, "letters and digits"),
        ("{ $.a = %bé% }", 10, "letters and digits"),
        (r"{ $.a = %b\t% }", 10, "a backslash"),
        (r"{ $.a = %\b% }", 9, "a backslash"),
        (r"{ $.a = %\x2% }", 9, "a backslash"),
        (r"{ $.a = %b\% }", 10, "a backslash"),
        ("{ $.a = %b[[c]]% }", 11, "in a character class"),
        ("{ $.a = %[]b]% }", 9, "class is empty"),
        ("{ $.a = %[^]b]% }", 9, "class is empty"),
        ("{ $.a = %[b% }", 9, "not a valid regular expression"),
        ("{ $.a = %*b% }", 9, "not a valid regular expression"),
        ("{ $.a = %b{2,1}% }", 9, "not a valid regular expression"),
        ("{ $.a=%b% && $.a=%c% && $.a=%d% }", 28, "2 regular"),
        ("{ $.a EXISTS }", 6, "only `NOT EXISTS`"),
        ("{ $.a IS NOT NULL }", 9, "`IS NOT`"),
        ("{ $.a IS true }", 9, "expected `TRUE`"),
        ("{ $.a is TRUE }", 6, "expected `=`"),
        ("{ $.a ISTRUE }", 6, "expected `=`"),
        ("{ $.a NOT }", 10, "expected `EXISTS`"),
        ("{ $.a\u{a0}= b }", 5, "expected `=`"),
    ] {
        let error = FilterPattern::parse(pattern).expect_err(pattern);
        assert_eq!(error.position, position, "{pattern}: {error}");
        assert!(error.reason.contains(reason), "{pattern}: {error}");
    }
}

#[test]
fn error_message_shows_the_position() {
    let error = |pattern| FilterPattern::parse(pattern).unwrap_err().to_string();
    assert_eq!(
        error("{ $.a EXISTS && $.the = \"rest\" }"),
        "character 7, at `EXISTS && $.the = \"r`: CloudWatch Logs supports only `NOT EXISTS`; use `= *` to test \
         that a field exists"
    );
    assert_eq!(
        error("{ $.a = b"),
        "after character 9: expected `&&`, `||` or the closing `}`"
    );
    assert_eq!(
        error("{ \u{1b}[2J }"),
        "after character 2: expected a selector, as in `$.name`, or `(`"
    );
}

#[test]
fn length_and_depth_are_limited() {
    let of_length = |length: usize| format!("{{ $.a = \"{}\" }}", "é".repeat(length - 12));
    assert!(FilterPattern::parse(&of_length(1024)).is_ok());
    let error = FilterPattern::parse(&of_length(1025)).unwrap_err();
    assert_eq!((error.position, error.excerpt.as_str()), (1024, "}"));

    let of_depth = |depth: usize| format!("{{{}$.a=b{}}}", "(".repeat(depth), ")".repeat(depth));
    assert!(FilterPattern::parse(&of_depth(32)).is_ok());
    assert_eq!(
        FilterPattern::parse(&of_depth(33)).unwrap_err().position,
        33
    );
    assert!(FilterPattern::parse(&format!("{{{}", "(".repeat(1023))).is_err());
}

/// A fixed pseudo-random sequence.
struct TestRandom(u64);

impl TestRandom {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn choose<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

#[test]
fn arbitrary_text_does_not_panic() {
    let seeds = [
        "{$.readOnly IS FALSE && $.errorCode NOT EXISTS && $.eventName!=AssumeRole}",
        r#"{ ($.a[0].b = "x\"y*" || $['c.d'][*] >= -1.5e+3) && $.* != 123.123.* }"#,
        "{ $.größe = \"😀*\" }",
    ];
    let pieces = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "'",
        "\"",
        "\\",
        "$",
        ".",
        "*",
        "=",
        "!",
        "<",
        ">",
        "&&",
        "||",
        "%",
        " IS ",
        " NOT EXISTS",
        "TRUE",
        "1e",
        "-",
        "é",
        "😀",
        "\0",
        "\n",
        "$.a",
        "[*]",
        "9999999999999999999999",
    ];
    let event = json!({ "a": [{ "b": "x\"y" }], "c.d": [1, "é"], "größe": "😀" });
    let mut random = TestRandom(1);
    let mut understood = 0;
    for _ in 0..20_000 {
        let mut text: Vec<char> = random.choose(&seeds).chars().collect();
        for _ in 0..=random.below(3) {
            let from = random.below(text.len() + 1);
            let to = (from + random.below(4)).min(text.len());
            let piece = if random.below(3) == 0 {
                ""
            } else {
                random.choose(&pieces)
            };
            text.splice(from..to, piece.chars());
        }
        let text: String = text.into_iter().collect();
        match FilterPattern::parse(&text) {
            Ok(pattern) => {
                understood += 1;
                let _ = pattern.matches(&event);
            }
            Err(error) => assert!(error.position <= text.chars().count(), "{text}: {error}"),
        }
    }
    assert!((1_000..19_000).contains(&understood), "{understood}");
}

/// A simple reference implementation that evaluates the text of a pattern without parsing it into a tree.
mod naive {
    use serde_json::Value;

    /// Evaluates a pattern without quotes, brackets and inner wildcards.
    pub fn passes(inside: &str, event: &Value) -> bool {
        let inside = inside.trim();
        if let Some((left, right)) = split(inside, "||") {
            passes(left, event) || passes(right, event)
        } else if let Some((left, right)) = split(inside, "&&") {
            passes(left, event) && passes(right, event)
        } else if let Some(rest) = inside.strip_prefix('(') {
            passes(rest.strip_suffix(')').unwrap(), event)
        } else {
            term(inside, event)
        }
    }

    /// Splits at the first operator outside of parentheses.
    fn split<'t>(text: &'t str, sign: &str) -> Option<(&'t str, &'t str)> {
        text.match_indices(sign)
            .map(|(at, _)| (&text[..at], &text[at + sign.len()..]))
            .find(|(left, _)| left.matches('(').count() == left.matches(')').count())
    }

    fn term(term: &str, event: &Value) -> bool {
        let (selector, rest) = term.split_once(' ').unwrap();
        let pointer = selector.trim_start_matches('$').replace('.', "/");
        let value = event.pointer(&pointer);
        let (sign, operand) = rest.split_once(' ').unwrap();
        let text = value.and_then(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        let same = text.as_ref().map(|text| match operand.strip_suffix('*') {
            Some(start) => text.starts_with(start),
            None => text == operand,
        });
        let order = value
            .and_then(Value::as_f64)
            .and_then(|number| number.partial_cmp(&operand.parse().ok()?));
        match sign {
            "IS" => value.is_some_and(|value| value.to_string().to_uppercase() == operand),
            "NOT" => value.is_none(),
            "=" => same == Some(true),
            "!=" => same == Some(false),
            "<" => order.is_some_and(std::cmp::Ordering::is_lt),
            "<=" => order.is_some_and(std::cmp::Ordering::is_le),
            ">" => order.is_some_and(std::cmp::Ordering::is_gt),
            ">=" => order.is_some_and(std::cmp::Ordering::is_ge),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn parser_agrees_with_reference_implementation() {
    fn written(random: &mut TestRandom, depth: usize) -> String {
        match random.below(if depth == 0 { 1 } else { 4 }) {
            0 => {
                let selector = random.choose(&["$.a", "$.b", "$.a.b", "$.c"]);
                let test = random.choose(&[
                    "= 1",
                    "!= 1",
                    "= x",
                    "!= x*",
                    "= *",
                    "< 1",
                    "<= 1",
                    "> 0",
                    ">= 2",
                    "IS TRUE",
                    "IS FALSE",
                    "IS NULL",
                    "NOT EXISTS",
                ]);
                format!("{selector} {test}")
            }
            1 => format!("({})", written(random, depth - 1)),
            n => {
                let sign = if n == 2 { "&&" } else { "||" };
                format!(
                    "{} {sign} {}",
                    written(random, depth - 1),
                    written(random, depth - 1)
                )
            }
        }
    }
    let mut random = TestRandom(2);
    let values = [
        json!(0),
        json!(1),
        json!(2),
        json!("x"),
        json!("xy"),
        json!("1"),
        json!(true),
        json!(false),
        json!(null),
        json!([]),
        json!({ "b": 1 }),
        json!({ "b": "x" }),
    ];
    let mut passed = 0;
    for _ in 0..20_000 {
        let inside = written(&mut random, 4);
        let pattern = format!("{{ {inside} }}");
        let mut event = json!({});
        for name in ["a", "b", "c"] {
            if random.below(4) > 0 {
                event[name] = values[random.below(values.len())].clone();
            }
        }
        let expected = naive::passes(&inside, &event);
        assert_eq!(passes(&pattern, &event), expected, "{pattern} of {event}");
        passed += usize::from(expected);
    }
    assert!((3_000..17_000).contains(&passed), "{passed}");
}
