/* The facts of these tests are told as those of the engine's tests are. */
#include "../core/build.c"
