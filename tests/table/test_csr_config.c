/* Configurations from text, the ISA string, and printing values. */
#include "csr_world.h"

static void expect_error(const char *text, const char *part)
{
    struct rv_config c, before;
    struct err e = {{0}};
    rv_config_default(&c, 64);
    before = c;
    assert_false(rv_config_parse(&c, text, &e));
    assert_memory_equal(&c, &before, sizeof c); /* nothing half-applied */
    if (!strstr(e.text, part))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, e.text, part);
}

static void bad_text_is_refused_with_a_sentence(void **state)
{
    (void)state;
    expect_error("rv64,hypervisor=on", "\"hypervisor\"");
    expect_error("rv64,h=maybe", "on or off");
    expect_error("pmp=17", "0, 16 or 64");
    expect_error("asid=17", "0..16");
    expect_error("rv32,asid=10", "0..9");
    expect_error("geilen=x", "not a number");
    expect_error("geilen=", "not a number");
    expect_error("h=on,s=off", "H needs S");
    expect_error("sstc=on,zicntr=off", "Sstc needs Zicntr");
    expect_error("zcf=on", "not there on RV64");
    expect_error("rv32,svpbmt=on", "not there on RV32");
    expect_error("sv32=on", "not there on RV64");
    expect_error("sv39=off", "sv48 needs sv39");
    expect_error("pa=40,pmp-grain=39", "pmp-grain");
    expect_error("tick-cycles=0", "tick");
}

static void turning_off_takes_along_what_needs_it(void **state)
{
    struct rv_config c;
    (void)state;
    assert_true(rv_config_parse(&c, "rv64, s=off\n# a comment, h=on\nmisaligned=off pmp=16", NULL));
    assert_false(rv_has(&c, EXT_H) || rv_has(&c, EXT_Sstc) || rv_has(&c, EXT_Smstateen) || rv_has(&c, EXT_Svnapot));
    assert_true(rv_has(&c, EXT_U));
    assert_int_equal(c.misaligned, 0);
    assert_int_equal(c.pmp_count, 16);
    assert_true(rv_config_parse(&c, "rv64,a=off,C=Off", NULL));
    assert_false(rv_has(&c, EXT_Zalrsc) || rv_has(&c, EXT_Zacas) || rv_has(&c, EXT_Zcb) || rv_has(&c, EXT_Zca));
    assert_true(rv_config_parse(&c, "rv64,a=off,zalrsc=on", NULL));
    assert_true(rv_has(&c, EXT_Zalrsc) && !rv_has(&c, EXT_A) && !rv_has(&c, EXT_Zaamo));
}

static void turning_on_brings_what_it_needs(void **state)
{
    struct rv_config c;
    (void)state;
    assert_true(rv_config_parse(&c, "rv64,s=off", NULL));
    assert_true(rv_config_parse(&c, "h=on", NULL));
    assert_true(rv_has(&c, EXT_H) && rv_has(&c, EXT_S));
}

static void every_default_is_consistent(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct rv_config c, same;
        rv_config_default(&c, xlen);
        same = c;
        assert_true(rv_config_parse(&same, "", NULL));
        assert_memory_equal(&c, &same, sizeof c);
    }
}

static void the_isa_string_is_canonical(void **state)
{
    char text[1200], small[8];
    struct rv_config c;
    (void)state;
    assert_true(rv_config_parse(&c, "rv64,zicfilp=off", NULL));
    rv_config_isa(&c, text, sizeof text);
    assert_memory_equal(text, "rv64imafdch_zicbom_", 19);
    /* Z by the order of the second letter in IMAFDQLCBKJTVPH, then alphabetically; then Ss, Sv, Sh, Sm. */
    const char *categories = "imafdqlcbkjtvph", *last = "";
    unsigned place = 0;
    for (char *name = strtok(strchr(text, '_'), "_"); name; name = strtok(NULL, "_")) {
        unsigned p;
        if (name[0] == 'z')
            p = (unsigned)(strchr(categories, name[1]) - categories);
        else
            p = 20 + (unsigned)(strchr("svhm", name[1]) - "svhm");
        if (p < place || (p == place && strcmp(last, name) >= 0))
            fail_msg("%s comes after %s", name, last);
        place = p;
        last = name;
    }
    assert_true(rv_config_parse(&c, "rv32,m=off,zaamo=off,zalrsc=off,f=off,c=off,s=off,u=off", NULL));
    unsigned len = rv_config_isa(&c, text, sizeof text);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(text, "rv32i_zicbom", 12);
    assert_true(rv_config_isa(&c, small, sizeof small) > sizeof small);
    assert_string_equal(small, "rv32i_z");
}

static void values_print_with_their_fields(void **state)
{
    char text[256], small[12];
    (void)state;
    csr_print(0x600, 64, 0x200200180, text, sizeof text);
    assert_string_equal(text, "hstatus=0x200200180 VSXL=2 VTW=1 SPVP=1 SPV=1");
    csr_print(0x310, 32, 0x480, text, sizeof text);
    assert_string_equal(text, "mstatush=0x480 MDT=1 MPV=1");
    csr_print(0x180, 64, UINT64_C(0x9001200000080123), text, sizeof text);
    assert_string_equal(text, "satp=0x9001200000080123 MODE=9 ASID=0x12 PPN=0x80123");
    csr_print(0x180, 32, 0x80480123, text, sizeof text);
    assert_string_equal(text, "satp=0x80480123 MODE=1 ASID=0x1 PPN=0x80123");
    csr_print(0x140, 64, 5, text, sizeof text);
    assert_string_equal(text, "sscratch=0x5");
    csr_print(0x3b1, 32, 5, text, sizeof text);
    assert_string_equal(text, "pmpaddr1=0x5");
    csr_print(0x7a0, 64, 5, text, sizeof text);
    assert_string_equal(text, "0x7a0=0x5");
    assert_int_equal(csr_print(0x600, 64, 0x200200180, small, sizeof small), 45);
    assert_string_equal(small, "hstatus=0x2");
    assert_int_equal(csr_print(0x600, 64, 0x200200180, NULL, 0), 45);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_text_is_refused_with_a_sentence), cmocka_unit_test(turning_off_takes_along_what_needs_it),
        cmocka_unit_test(turning_on_brings_what_it_needs),     cmocka_unit_test(every_default_is_consistent),
        cmocka_unit_test(the_isa_string_is_canonical),         cmocka_unit_test(values_print_with_their_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
