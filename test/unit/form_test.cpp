#include "common/wire/form.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace mysos;
using mysos::wire::Form;
using mysos::wire::FormErrc;
using mysos::wire::parse_form;

namespace {

const std::string multipart_type = "multipart/form-data; boundary=xX";

/// What curl sends for `--form name=value`.
std::string part(const std::string& name, const std::string& value)
{
    return "--xX\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}

}  // namespace

TEST_CASE("form: urlencoded fields are decoded and the last of a name wins", "[form]")
{
    struct Case {
        std::string body;
        Form fields;
    };
    const std::vector<Case> cases{
        {"", {}},
        {"a=1", {{"a", "1"}}},
        {"a=1&b=2", {{"a", "1"}, {"b", "2"}}},
        {"a=1&a=2", {{"a", "2"}}},
        {"a", {{"a", ""}}},
        {"a=", {{"a", ""}}},
        {"=1", {{"", "1"}}},
        {"a=b=c", {{"a", "b=c"}}},
        {"&&a=1&", {{"a", "1"}}},
        {"a=x+y%20z%2B", {{"a", "x y z+"}}},
        {"size=%7B%22cpus%22%3A1%7D", {{"size", R"({"cpus":1})"}}},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION("body " << c.body)
        {
            for (const char* type :
                 {"",
                  "application/x-www-form-urlencoded",
                  "Application/X-WWW-Form-Urlencoded; charset=utf-8"}) {
                const Result<Form> form = parse_form(type, c.body);
                REQUIRE(form.has_value());
                CHECK(*form == c.fields);
            }
        }
    }
}

TEST_CASE("form: multipart fields are read as curl and browsers send them", "[form]")
{
    struct Case {
        std::string name;
        std::string type;
        std::string body;
        Form fields;
    };
    const std::vector<Case> cases{
        {"no part", multipart_type, "--xX--\r\n", {}},
        {"two parts",
         multipart_type,
         part("a", "1") + part("b", "two\r\nlines") + "--xX--\r\n",
         {{"a", "1"}, {"b", "two\r\nlines"}}},
        {"empty value", multipart_type, part("a", "") + "--xX--", {{"a", ""}}},
        {"last of a name wins",
         multipart_type,
         part("a", "1") + part("a", "2") + "--xX--",
         {{"a", "2"}}},
        {"preamble, epilogue",
         multipart_type,
         "hi\r\n" + part("a", "1") + "--xX--\r\nbye",
         {{"a", "1"}}},
        {"quoted boundary",
         "Multipart/Form-Data; charset=utf-8; Boundary=\"xX\"",
         part("a", "1") + "--xX--",
         {{"a", "1"}}},
        {"a file",
         multipart_type,
         "--xX\r\ncontent-type: text/plain\r\ncontent-disposition: form-data; filename=\"n;m\"; "
         "name=size\r\n\r\n{}\r\n--xX--",
         {{"size", "{}"}}},
        {"quotes in a name",
         multipart_type,
         part(R"(a\"b\\c)", "1") + "--xX--",
         {{R"(a"b\c)", "1"}}},
        {"space after the boundary",
         multipart_type,
         "--xX \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--xX--",
         {{"a", "1"}}},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            const Result<Form> form = parse_form(c.type, c.body);
            REQUIRE(form.has_value());
            CHECK(*form == c.fields);
        }
    }
}

TEST_CASE("form: what is not a form is refused by name", "[form]")
{
    struct Case {
        std::string name;
        std::string type;
        std::string body;
        FormErrc error;
    };
    std::string many;
    for (int i = 0; i <= 64; ++i) many += "f" + std::to_string(i) + "=1&";
    const std::vector<Case> cases{
        {"json", "application/json", "{}", FormErrc::content_type_unsupported},
        {"half an escape", "", "a=%4", FormErrc::escape_malformed},
        {"no hex", "", "a=%zz", FormErrc::escape_malformed},
        {"escape in the name", "", "%=1", FormErrc::escape_malformed},
        {"too many fields", "", many, FormErrc::too_many_fields},
        {"no boundary", "multipart/form-data", "", FormErrc::boundary_missing},
        {"empty boundary", "multipart/form-data; boundary=", "", FormErrc::boundary_missing},
        {"open quote", "multipart/form-data; boundary=\"xX", "", FormErrc::boundary_missing},
        {"long boundary",
         "multipart/form-data; boundary=" + std::string(71, 'b'),
         "",
         FormErrc::boundary_missing},
        {"empty body", multipart_type, "", FormErrc::part_unfinished},
        {"another boundary", multipart_type, "--yY\r\n\r\n\r\n--yY--", FormErrc::part_unfinished},
        {"no closing boundary", multipart_type, part("a", "1"), FormErrc::part_unfinished},
        {"boundary alone", multipart_type, "--xX", FormErrc::part_unfinished},
        {"no line end", multipart_type, "--xXgarbage\r\n--xX--", FormErrc::part_malformed},
        {"no headers", multipart_type, "--xX\r\n--xX--", FormErrc::part_malformed},
        {"no name",
         multipart_type,
         "--xX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--xX--",
         FormErrc::part_malformed},
        {"not form-data",
         multipart_type,
         "--xX\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--xX--",
         FormErrc::part_malformed},
        {"no disposition",
         multipart_type,
         "--xX\r\nContent-Type: text/plain\r\n\r\n1\r\n--xX--",
         FormErrc::part_malformed},
        {"header without colon",
         multipart_type,
         "--xX\r\nnonsense\r\n\r\n1\r\n--xX--",
         FormErrc::part_malformed},
        {"bare line feeds",
         multipart_type,
         "--xX\nContent-Disposition: form-data; name=a\n\n1\n--xX--",
         FormErrc::part_malformed},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            CHECK(parse_form(c.type, c.body).error() == c.error);
        }
    }
}

TEST_CASE("form: a body cut or changed anywhere is read or refused, never misread", "[form]")
{
    const std::string whole = part("cluster_user", "app") + part("num_nodes", "3") + "--xX--";
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        const Result<Form> form = parse_form(multipart_type, whole.substr(0, cut));
        CHECK_FALSE(form.has_value());
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const char byte : {'\0', '\r', '\n', '"', '-', '\xff'}) {
            std::string changed = whole;
            changed[at] = byte;
            const Result<Form> form = parse_form(multipart_type, changed);
            if (form.has_value()) CHECK(form->size() <= 2);
        }
    }
}

TEST_CASE("form: a path segment is decoded and '+' stays", "[form]")
{
    CHECK(wire::percent_decode("a%2fb+c").value() == "a/b+c");
    CHECK(wire::percent_decode("%00").value() == std::string(1, '\0'));
    CHECK(wire::percent_decode("a%2").error() == FormErrc::escape_malformed);
}
