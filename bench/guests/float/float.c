/* Double and single precision: a matrix product, an n-body step and a polynomial; with 300 rounds about 1e9 instructions. */
static double a[64][64], b[64][64], c[64][64];
static double pos[8][3], vel[8][3];
static volatile double sink;

static double product(void)
{
    double sum = 0;
    for (int i = 0; i < 64; i++) {
        for (int j = 0; j < 64; j++) {
            double s = 0;
            for (int k = 0; k < 64; k++)
                s += a[i][k] * b[k][j];
            c[i][j] = s;
            sum += s;
        }
    }
    return sum;
}

static double bodies(void)
{
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 8; j++) {
            double d[3], r = 0.01;
            for (int k = 0; k < 3; k++) {
                d[k] = pos[j][k] - pos[i][k];
                r += d[k] * d[k];
            }
            double inverse = 1.0 / (r * __builtin_sqrt(r));
            for (int k = 0; k < 3; k++)
                vel[i][k] += d[k] * inverse * 0.001;
        }
    }
    for (int i = 0; i < 8; i++) {
        for (int k = 0; k < 3; k++)
            pos[i][k] += vel[i][k];
    }
    return pos[0][0];
}

static float polynomial(float x)
{
    float s = 0;
    for (int i = 0; i < 1000; i++) {
        s = s * x + 0.5f;
        s = s * x - 0.25f;
        s = s * x + (float)i;
        x += 0.0001f;
    }
    return s;
}

void bench_main(void)
{
    for (int i = 0; i < 64; i++) {
        for (int j = 0; j < 64; j++) {
            a[i][j] = i + j * 0.5;
            b[i][j] = i * 0.25 - j;
        }
    }
    for (int i = 0; i < 8; i++) {
        for (int k = 0; k < 3; k++)
            pos[i][k] = i * 1.5 + k * 0.75;
    }
    for (int round = 0; round < ROUNDS; round++) {
        sink += product();
        for (int i = 0; i < 100; i++)
            sink += bodies();
        sink += (double)polynomial(0.5f);
    }
}
