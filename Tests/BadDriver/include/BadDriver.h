#pragma once

// An OpenCL driver, as a file in a vendor folder names it, that answers nonsense. $BAD_DRIVER says which:
//   error      clIcdGetPlatformIDsKHR returns an error
//   none       it has no platform
//   count      it has a billion
//   null       its one platform is NULL
//   devices    its platform has a billion devices
//   refuses    listing its devices is an error
//   nameless   its platform's device has no name
//   sizes      every answer about its device is of a size that cannot be
// clIcdGetPlatformIDsKHR and the rest are found through this function, as the loader's standard has it.
void *clGetExtensionFunctionAddress(const char *name);
