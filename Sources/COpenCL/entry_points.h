#pragma once

// Every function of OpenCL that the program calls.
#define ENTRY_POINTS(X)           \
    X(clGetPlatformIDs)           \
    X(clGetPlatformInfo)          \
    X(clGetDeviceIDs)             \
    X(clGetDeviceInfo)            \
    X(clCreateContext)            \
    X(clGetContextInfo)           \
    X(clReleaseContext)           \
    X(clCreateCommandQueue)       \
    X(clReleaseCommandQueue)      \
    X(clFlush)                    \
    X(clFinish)                   \
    X(clCreateBuffer)             \
    X(clReleaseMemObject)         \
    X(clEnqueueReadBuffer)        \
    X(clEnqueueWriteBuffer)       \
    X(clEnqueueFillBuffer)        \
    X(clEnqueueMigrateMemObjects) \
    X(clCreateProgramWithSource)  \
    X(clCreateProgramWithBinary)  \
    X(clBuildProgram)             \
    X(clGetProgramInfo)           \
    X(clGetProgramBuildInfo)      \
    X(clReleaseProgram)           \
    X(clCreateKernel)             \
    X(clGetKernelInfo)            \
    X(clGetKernelWorkGroupInfo)   \
    X(clSetKernelArg)             \
    X(clReleaseKernel)            \
    X(clEnqueueNDRangeKernel)     \
    X(clWaitForEvents)            \
    X(clGetEventInfo)             \
    X(clGetEventProfilingInfo)    \
    X(clReleaseEvent)
