// as test/unit/some_test.cpp: CTest would run nothing
TEST_CASE("some: this happens; and that", "[some]")
{
    CHECK(happened() == wanted());
}
