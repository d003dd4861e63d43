/* Integer work of several kinds: a sieve, a CRC, a quicksort, a hash table and a small matrix product;
   with 600 rounds about 2e9 instructions. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

static u8 sieve[1 << 16];
static u32 table[256], numbers[4096], slots[8192];
static int a[48][48], b[48][48], c[48][48];
static volatile u64 sink;

static u32 count_primes(void)
{
    u32 n = 0;
    for (u32 i = 2; i < sizeof sieve; i++)
        sieve[i] = 1;
    for (u32 i = 2; i < sizeof sieve; i++) {
        if (!sieve[i])
            continue;
        n++;
        for (u32 k = 2 * i; k < sizeof sieve; k += i)
            sieve[k] = 0;
    }
    return n;
}

static u32 crc(void)
{
    u32 v = ~0u;
    for (u32 i = 0; i < 256; i++) {
        u32 t = i;
        for (int k = 0; k < 8; k++)
            t = t & 1 ? t >> 1 ^ 0xedb88320u : t >> 1;
        table[i] = t;
    }
    for (u32 i = 0; i < sizeof sieve; i++)
        v = table[(v ^ sieve[i]) & 255] ^ v >> 8;
    return ~v;
}

static void quicksort(u32 *x, int lo, int hi)
{
    while (lo < hi) {
        u32 pivot = x[(lo + hi) / 2];
        int i = lo, j = hi;
        while (i <= j) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i <= j) {
                u32 t = x[i];
                x[i++] = x[j];
                x[j--] = t;
            }
        }
        quicksort(x, lo, j);
        lo = i;
    }
}

static u32 sort_and_hash(u32 seed)
{
    u32 found = 0;
    for (u32 i = 0; i < 4096; i++)
        numbers[i] = seed = seed * 1664525u + 1013904223u;
    quicksort(numbers, 0, 4095);
    for (u32 i = 0; i < 8192; i++)
        slots[i] = 0;
    for (u32 i = 0; i < 4096; i++) {
        u32 h = numbers[i] * 2654435761u >> 19;
        while (slots[h] && slots[h] != numbers[i])
            h = (h + 1) & 8191;
        found += slots[h] == numbers[i];
        slots[h] = numbers[i];
    }
    return found;
}

static u64 product(void)
{
    u64 sum = 0;
    for (int i = 0; i < 48; i++) {
        for (int j = 0; j < 48; j++) {
            int s = 0;
            for (int k = 0; k < 48; k++)
                s += a[i][k] * b[k][j];
            c[i][j] = s;
            sum += (u64)s;
        }
    }
    return sum;
}

void bench_main(void)
{
    for (int i = 0; i < 48; i++) {
        for (int j = 0; j < 48; j++) {
            a[i][j] = i * 3 + j;
            b[i][j] = i - 5 * j;
        }
    }
    for (u32 round = 0; round < ROUNDS; round++)
        sink += count_primes() + crc() + sort_and_hash(round) + product();
}
