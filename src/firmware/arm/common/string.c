/* What the compiler calls for copies and initial values of structs. */
typedef unsigned long size_t;
#define PLAIN_LOOP __attribute__((optimize("no-tree-loop-distribute-patterns")))

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *p, int c, size_t n);

PLAIN_LOOP void *memcpy(void *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)to)[i] = ((const unsigned char *)from)[i];
    return to;
}

PLAIN_LOOP void *memset(void *p, int c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)p)[i] = (unsigned char)c;
    return p;
}
